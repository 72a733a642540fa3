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

        // A message nobody makes yet may already say who will.
        var madeBySomebody = MessagesInCode.Services.Keys.SelectMany(MessagesInCode.MadeBy).ToHashSet(StringComparer.Ordinal);

        Names(tables, "from", service).Where(madeBySomebody.Contains).ShouldBe(MessagesInCode.MadeBy(service).Where(messages.Contains).Except(CopiedOnly(service)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("saga")]
    [InlineData("gateway")]
    [InlineData("analyzer")]
    [InlineData("dashboard")]
    public async Task Should_give_a_service_exactly_the_queues_of_its_consumers(string service)
    {
        var tables = await Definitions.TablesAsync();

        tables.GetProperty("queues").GetProperty(service).EnumerateArray().Select(queue => queue.GetString()!).Order(StringComparer.Ordinal)
            .ShouldBe(MessagesInCode.QueuesOf(service));
    }

    /// <summary>The Analyzer reads answers anew with other brands in the request that it keeps, and sends none.</summary>
    static string[] CopiedOnly(string service) => service == "analyzer" ? ["Assay.Contracts:RequestAudit"] : [];

    static IEnumerable<string> Names(JsonElement tables, string direction, string service) =>
        tables.GetProperty("messages").EnumerateObject()
            .Where(message => message.Value.GetProperty(direction).EnumerateArray().Any(name => name.GetString() == service))
            .Select(message => message.Name).Order(StringComparer.Ordinal);
}
