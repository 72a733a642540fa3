using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Deployment;

/// <summary>What deploy/rabbitmq/definitions.mjs says: its tables, and the definitions it prints.</summary>
static class Definitions
{
    /// <summary>A producer of another team.</summary>
    public const string Producer = "producer";

    /// <summary>A producer that speaks to the management API.</summary>
    public const string HttpProducer = "script";

    /// <summary>A virtual host <c>assay</c> in which the guest may do everything. A broker killed a moment after it was told of one may have forgotten it, and a cluster takes its time to tell all nodes.</summary>
    public const string OneVirtualHost = """
        {"users":[{"name":"guest","password":"guest","tags":["administrator"]}],"vhosts":[{"name":"assay"}],
         "permissions":[{"user":"guest","vhost":"assay","configure":".*","write":".*","read":".*"}]}
        """;

    public static readonly IReadOnlyList<string> Services = ["saga", "gateway", "analyzer", "dashboard"];

    /// <summary>Its exported tables: queues, messages, faultsHeardBySaga, deadLetter.</summary>
    public static async Task<JsonElement> TablesAsync()
    {
        const string print = "import('./deploy/rabbitmq/definitions.mjs').then(({ queues, messages, faultsHeardBySaga, deadLetter }) => console.log(JSON.stringify({ queues, messages, faultsHeardBySaga, deadLetter })))";
        var (exitCode, output) = await Shell.RunAsync("node", ["--input-type=module", "-e", print]);
        exitCode.ShouldBe(0, output);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    /// <summary>The definitions with the given passwords, and beside them an administrator for the tests' own questions.</summary>
    public static async Task<string> PrintAsync(IReadOnlyDictionary<string, string> passwords, string administrator, string password)
    {
        var argument = new JsonObject();
        foreach (var (user, secret) in passwords.Where(pair => pair.Key is not (Producer or HttpProducer)))
            argument[user] = secret;
        argument["producers"] = new JsonObject { [Producer] = passwords[Producer] };
        argument["httpProducers"] = new JsonObject { [HttpProducer] = passwords[HttpProducer] };
        var (exitCode, output) = await Shell.RunAsync("node", ["deploy/rabbitmq/definitions.mjs", argument.ToJsonString()]);
        exitCode.ShouldBe(0, output);
        var definitions = JsonNode.Parse(output)!;
        definitions["users"]!.AsArray().Add(new JsonObject { ["name"] = administrator, ["password"] = password, ["tags"] = new JsonArray("administrator") });
        definitions["permissions"]!.AsArray().Add(new JsonObject { ["user"] = administrator, ["vhost"] = "assay", ["configure"] = ".*", ["write"] = ".*", ["read"] = ".*" });
        return definitions.ToJsonString();
    }
}
