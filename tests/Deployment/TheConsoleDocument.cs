using System.Text;
using System.Text.Json.Nodes;
using Assay.Contracts;
using Assay.TestServers;
using OpenBudget = Assay.Contracts.Internal.LlmGateway.OpenBudget;

namespace Assay.Deployment;

/// <summary>docs/broker-console.md lists every queue, exchange and message; the lists are generated from the code and held against a live broker.</summary>
[Trait("Needs", "Servers")]
[Collection(nameof(RunningSystem))]
public sealed class TheConsoleDocument(RunningSystem system)
{
    const string Begin = "<!-- generated: ASSAY_APPROVE=1 writes it anew -->";
    const string End = "<!-- end of what is generated -->";

    [Fact]
    public async Task Should_list_what_the_code_declares_and_what_the_broker_has()
    {
        var path = Path.Combine(SharedFolder.RepositoryRoot, "docs", "broker-console.md");
        var text = await File.ReadAllTextAsync(path);
        var generated = await GenerateAsync();
        if (Environment.GetEnvironmentVariable("ASSAY_APPROVE") == "1")
        {
            text = text[..(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + generated + text[text.IndexOf(End, StringComparison.Ordinal)..];
            await File.WriteAllTextAsync(path, text);
        }

        text[(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..text.IndexOf(End, StringComparison.Ordinal)].ShouldBe(generated, "docs/broker-console.md is out of date: run this test with ASSAY_APPROVE=1");

        // Both directions: what the document says is on the broker, and the broker has nothing that the document does not say.
        (await system.RunAuditAsync("Documented")).GetProperty("status").GetString().ShouldBe("Completed");
        var queues = (await system.Broker.GetAsync("api/queues/assay")).EnumerateArray().Select(queue => queue.GetProperty("name").GetString()!)
            .Where(name => !name.Contains("_bus_", StringComparison.Ordinal) && !name.StartsWith(Definitions.Producer, StringComparison.Ordinal) && !name.StartsWith(Definitions.HttpProducer, StringComparison.Ordinal))
            .Where(name => !name.EndsWith("_error", StringComparison.Ordinal) && !name.EndsWith("_skipped", StringComparison.Ordinal));
        queues.Order(StringComparer.Ordinal).ShouldBe(MessagesInCode.Services.Keys.SelectMany(MessagesInCode.QueuesOf).Append("assay-dead-letter").Order(StringComparer.Ordinal));

        var bindings = (await system.Broker.GetAsync("api/bindings/assay")).EnumerateArray()
            .Where(binding => binding.GetProperty("destination_type").GetString() == "exchange")
            .Select(binding => $"{binding.GetProperty("source").GetString()} → {binding.GetProperty("destination").GetString()}")
            .Where(binding => !binding.Contains("_bus_", StringComparison.Ordinal) && !binding.EndsWith("MassTransit:Fault", StringComparison.Ordinal) && !binding.Contains($"→ {Definitions.Producer}", StringComparison.Ordinal));
        bindings.Order(StringComparer.Ordinal).ShouldBe(MessagesInCode.Bindings().Select(binding => $"{binding.Exchange} → {binding.Queue}").Order(StringComparer.Ordinal));

        var known = MessagesInCode.Bindings().Select(binding => binding.Exchange).Concat((await Definitions.TablesAsync()).GetProperty("messages").EnumerateObject().Select(message => message.Name))
            .Concat(MessagesInCode.Services.Keys.SelectMany(MessagesInCode.QueuesOf)).Append("assay-dead-letter").ToHashSet(StringComparer.Ordinal);
        var strangers = (await system.Broker.GetAsync("api/exchanges/assay")).EnumerateArray().Select(exchange => exchange.GetProperty("name").GetString()!)
            .Where(name => name.Length > 0 && !name.StartsWith("amq.", StringComparison.Ordinal) && !name.StartsWith("MassTransit:", StringComparison.Ordinal) && !name.Contains("_bus_", StringComparison.Ordinal))
            .Where(name => !name.StartsWith(Definitions.Producer, StringComparison.Ordinal) && !name.EndsWith("_error", StringComparison.Ordinal) && !name.EndsWith("_skipped", StringComparison.Ordinal))
            .Except(known, StringComparer.Ordinal);
        strangers.ShouldBeEmpty();
    }

    static async Task<string> GenerateAsync()
    {
        var tables = await Definitions.TablesAsync();
        var bindings = MessagesInCode.Bindings();
        var text = new StringBuilder("\n\n## Queues\n\n| Queue | Read by | Takes |\n| --- | --- | --- |\n");
        foreach (var service in MessagesInCode.Services.Keys)
            foreach (var queue in MessagesInCode.QueuesOf(service))
                text.Append($"| `{queue}` | {service} | {string.Join(", ", bindings.Where(binding => binding.Queue == queue).Select(binding => Short(binding.Exchange)).Order(StringComparer.Ordinal))} |\n");
        text.Append("| `assay-dead-letter` | people | what crashed its consumer 20 times |\n");

        text.Append("\n## Exchanges and messages\n");
        foreach (var message in tables.GetProperty("messages").EnumerateObject().OrderBy(message => message.Name, StringComparer.Ordinal))
        {
            var to = bindings.Where(binding => binding.Exchange == message.Name).Select(binding => $"`{binding.Queue}`").Order(StringComparer.Ordinal).ToList();
            var from = string.Join(", ", message.Value.GetProperty("from").EnumerateArray().Select(sender => sender.GetString()));
            text.Append($"\n### `{message.Name}`\n\nFrom {from} to {(to.Count > 0 ? string.Join(", ", to) : "nobody yet")}{(message.Value.GetProperty("to").EnumerateArray().Any(taker => taker.GetString() == "producers") ? " and to producers" : "")}.\n\n```json\n{ExampleOf(message.Name)}\n```\n");
        }

        return text.Append('\n').ToString();
    }

    static string Short(string exchange) => exchange.StartsWith("MassTransit:Fault--", StringComparison.Ordinal) ? $"`Fault<{exchange.TrimEnd('-')[(exchange.LastIndexOf(':') + 1)..]}>`" : $"`{exchange[(exchange.LastIndexOf(':') + 1)..]}`";

    static string ExampleOf(string exchange)
    {
        var type = new[] { typeof(RequestAudit).Assembly, typeof(OpenBudget).Assembly }.Select(assembly => assembly.GetType(exchange.Replace(':', '.'))).First(found => found is not null)!;
        return Example(type, "", 0)!.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>One value of a type, made from the names and types of its properties.</summary>
    static JsonNode? Example(Type type, string name, int depth)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return name switch
            {
                "Engine" => "chatgpt", "Kind" => "brand", "Brand" or "Name" => "Anker", "Locale" => "en-US", "Reason" => "Stalled", "Domain" => "anker.com", "Text" => "…", "Model" => "gpt-4o-mini",
                "Phase" or "FromState" => "Asking", "ToState" => "Scoring", "Service" => "LlmGateway", "Worker" => "gateway-1", "Purpose" => "answer", "RequestedBy" => "shop", "InDoubt" => "keep", _ => "…",
            };
        if (type == typeof(Guid))
            return "7b0c7d0e-5a52-4c0e-9f55-0d6f6a1c2b3d";
        if (type == typeof(DateTime))
            return "2026-11-01T12:30:00Z";
        if (type == typeof(TimeSpan))
            return "00:01:00";
        if (type == typeof(bool))
            return false;
        if (type == typeof(decimal))
            return "0.25";
        if (type == typeof(double))
            return 0.5;
        if (type.IsPrimitive)
            return 1;
        if (type.IsEnum)
            return Enum.GetNames(type)[0];
        if (type.GetInterfaces().Append(type).FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)) is { } map)
            return new JsonObject { ["visibility"] = depth > 3 ? null : Example(map.GetGenericArguments()[1], "", depth + 1) };
        if (type.GetInterfaces().Append(type).FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>)) is { } list)
            return depth > 3 ? new JsonArray() : new JsonArray(Example(list.GetGenericArguments()[0], name, depth + 1));
        var value = new JsonObject();
        foreach (var property in type.GetProperties().Where(property => property.CanWrite && property.GetIndexParameters().Length == 0))
            value[char.ToLowerInvariant(property.Name[0]) + property.Name[1..]] = depth > 3 ? null : Example(property.PropertyType, property.Name, depth + 1);
        return value;
    }
}
