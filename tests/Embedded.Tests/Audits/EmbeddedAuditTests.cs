using System.Text.Json;
using Assay.Embedded.Cli;
using Assay.TestServers;

namespace Assay.Embedded.Tests.Audits;

static class Requests
{
    /// <summary>A small request, written into a folder.</summary>
    public static async Task<Guid> WriteAsync(TemporaryFolder folder, string name, int queries = 4, string[]? engines = null, double ceiling = 5)
    {
        var id = Guid.NewGuid();
        await File.WriteAllTextAsync(folder.File(name), JsonSerializer.Serialize(new
        {
            auditId = id,
            brand = new { name = "Anker", aliases = new[] { "Soundcore" }, domain = "anker.com" },
            competitors = new[] { new { name = "Sony" }, new { name = "JBL" } },
            queries = Enumerable.Range(1, queries).Select(i => $"best wireless earbuds for situation {i}"),
            engines = engines ?? ["chatgpt", "claude"],
            ceilingUsd = ceiling,
            deadlineMinutes = 5,
        }));
        return id;
    }

    public static async Task<JsonDocument> ReadReportAsync(string folder) => JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "report.json")));

    public static int Count(this JsonElement element, string property) => element.GetProperty(property).GetInt32();
}

public sealed class Running_the_sample
{
    [Fact]
    public async Task Should_complete_and_be_reused_for_nothing_the_second_time()
    {
        using var folder = new TemporaryFolder();
        var sample = Path.Combine(Repository.Root, "samples", "anker.json");
        var first = await AssayProcess.RunAsync(folder.FullPath, "audit", sample, "--out", "out");
        first.ExitCode.ShouldBe(ExitCodes.Done, first.ToString());
        first.Output.ShouldContain("simulated");
        first.Output.ShouldContain("visibility");
        (await File.ReadAllTextAsync(folder.File("out/report.html"))).ShouldContain("</html>");
        using var report = await Requests.ReadReportAsync(folder.File("out"));
        var root = report.RootElement;
        root.GetProperty("status").GetString().ShouldBe("Completed");
        root.GetProperty("simulated").GetBoolean().ShouldBeTrue();
        root.GetProperty("answers").GetArrayLength().ShouldBe(24 * 4);
        var coverage = root.GetProperty("coverage");
        coverage.Count("planned").ShouldBe(24 * 4);
        (coverage.Count("valid") + coverage.Count("declined") + coverage.Count("refused") + coverage.Count("empty") + coverage.Count("inDoubt")).ShouldBe(24 * 4);
        root.GetProperty("insights").GetArrayLength().ShouldBe(22);
        foreach (var answer in root.GetProperty("answers").EnumerateArray())
        {
            foreach (var mention in answer.GetProperty("mentions").EnumerateArray())
            {
                var text = answer.GetProperty("text").GetString()!;
                var (start, end) = (mention.Count("start"), mention.Count("end"));
                text[start..end].ShouldStartWith(mention.GetProperty("alias").GetString()![..1], Case.Insensitive);
            }
        }

        var again = await AssayProcess.RunAsync(folder.FullPath, "audit", sample, "--out", "again");
        again.ExitCode.ShouldBe(ExitCodes.Done, again.ToString());
        again.Output.ShouldContain("reused, $0");
        using var reused = await Requests.ReadReportAsync(folder.File("again"));
        reused.RootElement.GetProperty("auditId").GetGuid().ShouldBe(root.GetProperty("auditId").GetGuid());
    }

    [Fact]
    public async Task Should_be_read_again_under_other_names_for_nothing()
    {
        using var folder = new TemporaryFolder();
        var id = await Requests.WriteAsync(folder, "request.json");
        (await AssayProcess.RunAsync(folder.FullPath, "audit", "request.json", "--quiet")).ExitCode.ShouldBe(ExitCodes.Done);
        await File.WriteAllTextAsync(folder.File("names.json"), """{ "brand": { "name": "Nobody Names This" }, "competitors": [ { "name": "Sony" } ] }""");

        var again = await AssayProcess.RunAsync(folder.FullPath, "rederive", id.ToString(), "names.json", "--json");
        again.ExitCode.ShouldBe(ExitCodes.Done, again.ToString());
        using var printed = JsonDocument.Parse(again.Output);
        printed.RootElement.GetProperty("before").GetProperty("scores").GetProperty("visibility").GetProperty("value").GetDouble().ShouldBeGreaterThan(0);
        printed.RootElement.GetProperty("after").GetProperty("scores").GetProperty("visibility").GetProperty("value").GetDouble().ShouldBe(0);
        printed.RootElement.GetProperty("changed").GetArrayLength().ShouldBeGreaterThan(0);

        var same = await AssayProcess.RunAsync(folder.FullPath, "rederive", id.ToString());
        same.ExitCode.ShouldBe(ExitCodes.Done, same.ToString());
        same.Output.ShouldContain("The same brands are found in every answer.");

        var wrong = await AssayProcess.RunAsync(folder.FullPath, "rederive", id.ToString(), "no-such.json");
        wrong.ExitCode.ShouldBe(ExitCodes.BadInput, wrong.ToString());
        wrong.Error.ShouldContain("no-such.json");
    }

    [Fact]
    public async Task Should_print_one_JSON_object_when_asked()
    {
        using var folder = new TemporaryFolder();
        var id = await Requests.WriteAsync(folder, "request.json");
        var result = await AssayProcess.RunAsync(folder.FullPath, "audit", "request.json", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Done, result.ToString());
        using var printed = JsonDocument.Parse(result.Output);
        printed.RootElement.GetProperty("auditId").GetGuid().ShouldBe(id);
        printed.RootElement.GetProperty("status").GetString().ShouldBe("Completed");
        File.Exists(printed.RootElement.GetProperty("report").GetProperty("json").GetString()).ShouldBeTrue();
    }

    [Fact]
    public async Task Should_refuse_an_engine_that_is_not_configured()
    {
        using var folder = new TemporaryFolder();
        await Requests.WriteAsync(folder, "request.json", engines: ["chatgpt", "oracle"]);
        var result = await AssayProcess.RunAsync(folder.FullPath, "audit", "request.json");
        result.ExitCode.ShouldBe(ExitCodes.BadInput, result.ToString());
        result.Error.ShouldContain("UnknownEngine");
        result.Error.ShouldContain("oracle");
    }

    [Fact]
    public async Task Should_quote_without_starting()
    {
        using var folder = new TemporaryFolder();
        await Requests.WriteAsync(folder, "request.json");
        var quoted = await AssayProcess.RunAsync(folder.FullPath, "quote", "request.json");
        quoted.ExitCode.ShouldBe(ExitCodes.Done, quoted.ToString());
        quoted.Output.ShouldContain("fits under the ceiling of $5.00");
        var list = await AssayProcess.RunAsync(folder.FullPath, "list");
        list.Error.ShouldContain("no audits yet");
    }
}

public sealed class Interrupting_an_audit
{
    static async Task<(FakeLlm Provider, Dictionary<string, string> Environment)> SlowProviderAsync()
    {
        var provider = await FakeLlm.StartAsync("latency=400");
        return (provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Engines__chatgpt__Kind"] = "openai",
            ["Engines__chatgpt__BaseUrl"] = new Uri(provider.BaseUrl, "v1").ToString(),
            ["Engines__chatgpt__Model"] = "gpt-4o-mini",
            ["Engines__chatgpt__ApiKey"] = "test-key",
            ["Engines__chatgpt__InputUsdPerMTok"] = "0.15",
            ["Engines__chatgpt__OutputUsdPerMTok"] = "0.60",
            ["Engines__chatgpt__MaxConcurrency"] = "2",
        });
    }

    static async Task WaitForPaidCallsAsync(FakeLlm provider, int least)
    {
        for (var i = 0; i < 600; i++)
        {
            if ((await provider.StatsAsync()).GetProperty("received").GetInt32() >= least)
                return;
            await Task.Delay(100);
        }

        throw new TimeoutException($"The provider did not receive {least} calls within a minute.");
    }

    /// <summary>The saga ends the audit before the bus starts; the page hears of it a moment later.</summary>
    static async Task<string> ShowUntilAsync(TemporaryFolder folder, Dictionary<string, string> environment, Guid id, string expected)
    {
        var shown = "";
        for (var i = 0; i < 10 && !shown.Contains(expected, StringComparison.Ordinal); i++)
        {
            await using var show = AssayProcess.Start(folder.FullPath, environment, "show", id.ToString());
            shown = (await show.EndAsync()).ToString();
        }

        return shown;
    }

    [Fact]
    public async Task Should_cancel_it_keep_what_was_paid_and_pay_only_the_rest_at_retry()
    {
        using var folder = new TemporaryFolder();
        var (provider, environment) = await SlowProviderAsync();
        await using var _ = provider;
        var id = await Requests.WriteAsync(folder, "request.json", queries: 40, engines: ["chatgpt"]);
        await using (var audit = AssayProcess.Start(folder.FullPath, environment, "audit", "request.json", "--out", "out"))
        {
            await WaitForPaidCallsAsync(provider, 4);
            await audit.InterruptAsync();
            var cancelled = await audit.EndAsync();
            cancelled.ExitCode.ShouldBe(ExitCodes.Cancelled, cancelled.ToString());
        }

        using (var report = await Requests.ReadReportAsync(folder.File("out")))
            report.RootElement.GetProperty("status").GetString().ShouldBe("Cancelled");
        var paid = (await provider.StatsAsync()).GetProperty("received").GetInt32();
        paid.ShouldBeLessThan(40);

        await provider.ConfigureAsync(new { latencyMs = 5 });
        await using var retry = AssayProcess.Start(folder.FullPath, environment, "retry", id.ToString(), "--out", "retried");
        var retried = await retry.EndAsync();
        retried.ExitCode.ShouldBe(ExitCodes.Done, retried.ToString());
        var stats = await provider.StatsAsync();
        stats.GetProperty("duplicates").GetInt32().ShouldBe(0);
        using var complete = await Requests.ReadReportAsync(folder.File("retried"));
        complete.RootElement.GetProperty("coverage").Count("valid").ShouldBe(40);
        // Planning needs no call here; the 22 insights are the simulated advisor's tries.
        complete.RootElement.GetProperty("spend").GetProperty("paidTries").GetInt32().ShouldBe(stats.GetProperty("billed").GetInt32() + 22);
    }

    [Fact]
    public async Task Should_fail_the_audit_of_a_killed_process_and_let_a_retry_complete_it()
    {
        using var folder = new TemporaryFolder();
        var (provider, environment) = await SlowProviderAsync();
        await using var _ = provider;
        var id = await Requests.WriteAsync(folder, "request.json", queries: 30, engines: ["chatgpt"]);
        await using (var audit = AssayProcess.Start(folder.FullPath, environment, "audit", "request.json"))
        {
            await WaitForPaidCallsAsync(provider, 6);
            audit.Kill();
            await audit.EndAsync();
        }

        await provider.ConfigureAsync(new { latencyMs = 5 });
        (await ShowUntilAsync(folder, environment, id, "HostRestarted")).ShouldContain("HostRestarted");

        await using var retry = AssayProcess.Start(folder.FullPath, environment, "retry", id.ToString(), "--ask-in-doubt-again", "--out", "out");
        var retried = await retry.EndAsync();
        retried.ExitCode.ShouldBe(ExitCodes.Done, retried.ToString());
        using var report = await Requests.ReadReportAsync(folder.File("out"));
        report.RootElement.GetProperty("coverage").Count("valid").ShouldBe(30);
        var stats = await provider.StatsAsync();
        stats.GetProperty("duplicateBilled").GetInt32().ShouldBeLessThanOrEqualTo(2, "only what was on the wire at the kill may be asked again");
    }
}
