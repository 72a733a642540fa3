namespace Assay.ServiceDefaults.Tests;

public sealed class CommandsOnTheWire
{
    [Theory]
    [InlineData("rabbitmq://localhost/assay/Assay.Contracts:RequestAudit", true)]
    [InlineData("rabbitmq://localhost/Assay.Contracts.Internal.LlmGateway:AskEngine?durable=true", true)]
    [InlineData("rabbitmq://localhost/assay/Assay.Contracts:AuditCompleted", false)]
    [InlineData("loopback://localhost/audit-state", false)]
    public void Should_be_told_from_events_by_their_exchange(string address, bool command) => Commands.Contains(new Uri(address)).ShouldBe(command);
}
