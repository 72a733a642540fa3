using System.Text.Json;

namespace Assay.Deployment;

/// <summary>The table behind the permissions is held against the code: a message the code sends or takes and the table forgets could not travel.</summary>
public sealed class TheMessageTable
{
    [Theory]
    [InlineData("saga")]
    [InlineData("gateway")]
    [InlineData("analyzer")]
    [InlineData("dashboard")]
    public async Task Should_let_a_service_take_exactly_what_its_consumers_take(string service)
    {
        var tables = await Definitions.TablesAsync();
        var taken = MessagesInCode.TakenBy(service);

        Names(tables, "to", service).ShouldBe(taken.Where(name => !name.StartsWith("Fault:", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        if (service == "saga")
            tables.GetProperty("faultsHeardBySaga").EnumerateArray().Select(name => $"Fault:{name.GetString()}").Order(StringComparer.Ordinal)
                .ShouldBe(taken.Where(name => name.StartsWith("Fault:", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("saga")]
    [InlineData("gateway")]
    [InlineData("analyzer")]
    [InlineData("dashboard")]
    public async Task Should_let_a_service_send_exactly_the_messages_its_code_makes(string service)
    {
        var tables = await Definitions.TablesAsync();
        var messages = tables.GetProperty("messages").EnumerateObject().Select(message => message.Name).ToHashSet(StringComparer.Ordinal);

        // The pages have no button for a single engine yet; an operator's message has a sender as soon as there is one.
        string[] ahead = service == "dashboard" ? ["Assay.Contracts.Internal.LlmGateway:PauseEngine", "Assay.Contracts.Internal.LlmGateway:ResumeEngine"] : [];

        Names(tables, "from", service).Except(ahead, StringComparer.Ordinal).ShouldBe(MessagesInCode.MadeBy(service).Where(messages.Contains).Except(ahead, StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    static IEnumerable<string> Names(JsonElement tables, string direction, string service) =>
        tables.GetProperty("messages").EnumerateObject()
            .Where(message => message.Value.GetProperty(direction).EnumerateArray().Any(name => name.GetString() == service))
            .Select(message => message.Name).Order(StringComparer.Ordinal);
}
