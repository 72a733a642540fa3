using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>The samples as a stranger uses them: from the packed contracts, in a folder of their own, as a user that may only produce.</summary>
[Trait("Needs", "Servers")]
[Collection(nameof(RunningSystem))]
public sealed class ProducersOfOtherTeams(RunningSystem system)
{
    [Fact]
    public async Task Should_build_on_nothing_but_the_package_and_run_an_audit_and_cancel_another()
    {
        var stranger = Directory.CreateTempSubdirectory("assay-stranger-");
        try
        {
            // A version of its own: a package of the same version that some cache holds already would be taken instead.
            var version = $"1.0.0-test.{Guid.NewGuid():N}"[..20];
            var feed = Path.Combine(stranger.FullName, "artifacts", "packages");
            await DotnetAsync(SharedFolder.RepositoryRoot, "pack", "contracts/Contracts/Contracts.csproj", "-c", "Release", "-o", feed, $"-p:Version={version}", "-p:ContinuousIntegrationBuild=true", "--nologo", "-v", "q");
            ShouldHoldWhatAPackageNeeds(feed, version);
            var sample = Path.Combine(stranger.FullName, "samples", "Producer");
            Directory.CreateDirectory(sample);
            foreach (var file in Directory.GetFiles(Path.Combine(SharedFolder.RepositoryRoot, "samples", "Producer")))
                File.Copy(file, Path.Combine(sample, Path.GetFileName(file)));

            await TapAsync("RequestAudit", "CancelAudit");
            await DotnetAsync(sample, "build", "Producer.slnx", $"-p:AssayContractsVersion={version}", "--nologo", "-v", "q");
            var (exitCode, output) = await Shell.RunAsync("dotnet", [Path.Combine(sample, "bin", "Debug", "net10.0", "Producer.dll"), "chatgpt", "slow"], new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["RabbitMq__Host"] = system.Broker.Host,
                ["RabbitMq__Port"] = $"{system.Broker.Port}",
                ["RabbitMq__VirtualHost"] = "assay",
                ["RabbitMq__Username"] = Definitions.Producer,
                ["RabbitMq__Password"] = system.Passwords[Definitions.Producer],
            }, sample);

            exitCode.ShouldBe(0, output);
            await RecordAsync();
            output.ShouldMatch(@"(?s)requested [0-9a-f-]{36}.*accepted [0-9a-f-]{36}: \d+ calls.*completed [0-9a-f-]{36}: visibility [0-9.]+.*cancelled [0-9a-f-]{36}: the sample changed its mind");
        }
        finally
        {
            stranger.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Should_follow_an_audit_over_http_without_dotnet()
    {
        var (exitCode, output) = await ScriptAsync("chatgpt");

        exitCode.ShouldBe(0, output);
        output.ShouldMatch(@"(?s)requested [0-9a-f-]{36}.*accepted [0-9a-f-]{36}: \d+ calls.*completed [0-9a-f-]{36}: visibility 0\.\d+");
    }

    [Fact]
    public async Task Should_cancel_an_audit_over_http_without_dotnet()
    {
        var (exitCode, output) = await ScriptAsync("slow", "--cancel");

        exitCode.ShouldBe(0, output);
        output.ShouldMatch("cancelled [0-9a-f-]{36}: the sample changed its mind");
    }

    [Theory]
    [MemberData(nameof(RecordedRequests))]
    public async Task Should_be_understood_as_recorded_by_a_released_version(string release)
    {
        var folder = Path.Combine(SharedFolder.RepositoryRoot, "tests", "Contracts.Tests", "Released", release);
        var request = Envelope("RequestAudit");
        var auditId = request["message"]!["auditId"]!.GetValue<string>();

        await PublishAsync("RequestAudit", request);
        var ended = await system.WaitForTheEndAsync(auditId);
        ended.GetProperty("status").GetString().ShouldBe("Completed", ended.ToString());

        // The same brand again, by a slow engine, so that there is something to cancel and then to retry.
        var second = Envelope("RequestAudit");
        var cancelled = Envelope("CancelAudit");
        var id = cancelled["message"]!["auditId"]!.GetValue<string>();
        second["messageId"] = Guid.NewGuid().ToString();
        second["message"]!["auditId"] = id;
        second["message"]!["engines"] = new JsonArray("slow");
        await PublishAsync("RequestAudit", second);
        await system.WaitForPhaseAsync(id, "Asking");
        await PublishAsync("CancelAudit", cancelled);
        (await system.WaitForTheEndAsync(id)).GetProperty("status").GetString().ShouldBe("Cancelled");
        await PublishAsync("RetryAudit", Envelope("RetryAudit"));
        await system.WaitForAttemptAsync(id, 2);
        (await system.WaitForTheEndAsync(id)).GetProperty("status").GetString().ShouldBe("Completed");

        JsonNode Envelope(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, $"{name}.json")))!;
    }

    public static TheoryData<string> RecordedRequests => [.. Directory.GetDirectories(Path.Combine(SharedFolder.RepositoryRoot, "tests", "Contracts.Tests", "Released")).Select(folder => Path.GetFileName(folder)!)];

    // ASSAY_RECORD=1.1.0 keeps what the sample put on the wire as the messages of that release: once, when it is released.
    static string? Release => Environment.GetEnvironmentVariable("ASSAY_RECORD");

    async Task TapAsync(params string[] types)
    {
        if (Release is null)
            return;
        await system.Broker.SendAsync(HttpMethod.Put, "api/queues/assay/producer-tap", """{"durable":true,"arguments":{"x-queue-type":"quorum"}}""");
        foreach (var type in types)
            await system.Broker.SendAsync(HttpMethod.Post, $"api/bindings/assay/e/{Uri.EscapeDataString($"Assay.Contracts:{type}")}/q/producer-tap", "{}");
    }

    async Task RecordAsync()
    {
        if (Release is null)
            return;
        var (_, text) = await system.Broker.SendAsync(HttpMethod.Post, "api/queues/assay/producer-tap/get", """{"count":10,"ackmode":"ack_requeue_false","encoding":"auto"}""");
        var folder = Directory.CreateDirectory(Path.Combine(SharedFolder.RepositoryRoot, "tests", "Contracts.Tests", "Released", Release)).FullName;
        foreach (var envelope in JsonNode.Parse(text)!.AsArray().Select(message => JsonNode.Parse(message!["payload"]!.GetValue<string>())!))
        {
            var type = envelope["messageType"]![0]!.GetValue<string>().Split(':')[^1];
            envelope["host"]!["machineName"] = "shop";
            envelope["sourceAddress"] = "rabbitmq://broker/assay/shop_Producer_bus_recorded?temporary=true";
            envelope["destinationAddress"] = $"rabbitmq://broker/assay/Assay.Contracts:{type}";
            var file = Path.Combine(folder, $"{type}.json");
            if (!File.Exists(file))
                await File.WriteAllTextAsync(file, envelope.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        }
    }

    async Task PublishAsync(string type, JsonNode envelope)
    {
        var body = new JsonObject
        {
            ["routing_key"] = "", ["payload_encoding"] = "string", ["payload"] = envelope.ToJsonString(),
            ["properties"] = new JsonObject { ["delivery_mode"] = 2, ["content_type"] = "application/vnd.masstransit+json" },
        };
        var (status, text) = await system.Broker.SendAsync(HttpMethod.Post, $"api/exchanges/assay/{Uri.EscapeDataString($"Assay.Contracts:{type}")}/publish", body.ToJsonString());
        status.ShouldBe(200, text);
        text.ShouldContain("true");
    }

    Task<(int ExitCode, string Output)> ScriptAsync(params string[] arguments) => Shell.RunAsync("node", ["samples/http/request-audit.mjs", .. arguments], new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ASSAY_BROKER"] = $"http://127.0.0.1:{system.Broker.ManagementPort}",
        ["ASSAY_USER"] = Definitions.HttpProducer,
        ["ASSAY_PASSWORD"] = system.Passwords[Definitions.HttpProducer],
    });

    static void ShouldHoldWhatAPackageNeeds(string feed, string version)
    {
        using var package = ZipFile.OpenRead(Path.Combine(feed, $"Assay.Contracts.{version}.nupkg"));
        string[] needed = ["README.md", "lib/net10.0/Assay.Contracts.dll", "lib/net10.0/Assay.Contracts.xml"];
        needed.Except(package.Entries.Select(entry => entry.FullName), StringComparer.Ordinal).ShouldBeEmpty();
        using var nuspec = new StreamReader(package.GetEntry("Assay.Contracts.nuspec")!.Open());
        var text = nuspec.ReadToEnd();
        text.ShouldContain("<readme>README.md</readme>");
        text.ShouldContain("Apache-2.0");
        text.ShouldNotContain("<dependency ");
        using var symbols = ZipFile.OpenRead(Path.Combine(feed, $"Assay.Contracts.{version}.snupkg"));
        symbols.Entries.Select(entry => entry.FullName).ShouldContain("lib/net10.0/Assay.Contracts.pdb");
    }

    static async Task DotnetAsync(string folder, params string[] arguments)
    {
        // No build server outlives the test, and MSBuild does not inherit this test's own settings.
        var (exitCode, output) = await Shell.RunAsync("dotnet", [.. arguments, "-nodeReuse:false"], new Dictionary<string, string>(StringComparer.Ordinal) { ["MSBUILDDISABLENODEREUSE"] = "1", ["UseSharedCompilation"] = "false" }, folder, TimeSpan.FromMinutes(5));
        exitCode.ShouldBe(0, output);
    }
}
