using System.Net;
using Assay.TestServers;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Assay.Deployment;

/// <summary>What is too large is refused at the door, by the broker and by every service, and they go on.</summary>
[Trait("Needs", "Servers")]
[Collection(nameof(RunningSystem))]
public sealed class TheLimits(RunningSystem system)
{
    [Fact]
    public async Task Should_refuse_a_message_larger_than_64_megabytes()
    {
        await using var connection = await new ConnectionFactory
        {
            HostName = system.Broker.Host, Port = system.Broker.Port, VirtualHost = "assay", UserName = Definitions.Producer, Password = system.Passwords[Definitions.Producer],
        }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

        var refused = await Should.ThrowAsync<OperationInterruptedException>(async () => await channel.BasicPublishAsync("Assay.Contracts:RequestAudit", "", mandatory: true, new BasicProperties(), new byte[65 << 20]).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));

        refused.ShutdownReason!.ReplyCode.ShouldBe((ushort)Constants.PreconditionFailed);
        (await system.RunAuditAsync("After the flood")).GetProperty("status").GetString().ShouldBe("Completed");
    }

    [Fact]
    public async Task Should_refuse_a_body_larger_than_8_megabytes()
    {
        // Asks before it sends: who sends at once may meet a closed connection instead of the answer.
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/keys") { Content = new ByteArrayContent(new byte[9 << 20]), Headers = { ExpectContinue = true } };
        request.Content.Headers.ContentType = new("application/json");

        using var response = await system.Api.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }
}
