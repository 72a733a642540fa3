using System.Net;
using System.Net.Sockets;
using Assay.Embedded.Cli;
using Assay.TestServers;

namespace Assay.Embedded.Tests.Serve;

public sealed class Serving
{
    [Fact]
    public async Task Should_print_a_login_link_answer_the_other_commands_and_stop_at_CtrlC()
    {
        using var folder = new TemporaryFolder();
        var url = $"http://127.0.0.1:{Loopback.FreePort()}";
        await using var serve = AssayProcess.Start(folder.FullPath, "serve", "--urls", url);
        var link = await serve.FirstLineAsync();
        link.ShouldStartWith(url + "/");

        using (var handler = new HttpClientHandler { AllowAutoRedirect = false, UseProxy = false })
        using (var http = new HttpClient(handler))
        {
            (await http.GetAsync(new Uri(url + "/health/live"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            using (var ready = await http.GetAsync(new Uri(url + "/health/ready")))
            {
                ready.StatusCode.ShouldBe(HttpStatusCode.OK);
                var said = await ready.Content.ReadAsStringAsync();
                foreach (var check in new[] { "bus", "start", "database-AuditSaga", "migrations-LlmGateway", "outbox-AnalyzerDbContext", "database-Dashboard" })
                    said.ShouldContain($"\"{check}\"");
            }

            (await http.GetAsync(new Uri(url + "/api/audits"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            ((int)(await http.GetAsync(new Uri(link))).StatusCode).ShouldBeLessThan(400);
        }

        var list = await AssayProcess.RunAsync(folder.FullPath, "list");
        list.ExitCode.ShouldBe(ExitCodes.Done, list.ToString());

        var second = await AssayProcess.RunAsync(folder.FullPath, "serve", "--urls", $"http://127.0.0.1:{Loopback.FreePort()}");
        second.ExitCode.ShouldBe(ExitCodes.BadInput, second.ToString());
        second.Error.ShouldContain(url);
        second.Error.ShouldContain("--data");

        var engine = await AssayProcess.RunAsync(folder.FullPath, "list", "--data", folder.File(".assay"), "--url", url, "--key", "x");
        engine.ExitCode.ShouldBe(ExitCodes.BadInput, engine.ToString());

        var stranger = await AssayProcess.RunAsync(folder.FullPath, "list", "--url", url, "--key", "assay_nobody");
        stranger.ExitCode.ShouldBe(ExitCodes.BadInput, stranger.ToString());
        stranger.Error.ShouldContain("does not know the access key");

        var key = await AssayProcess.RunAsync(folder.FullPath, "key", "create", "--role", "viewer", "--name", "a test");
        key.ExitCode.ShouldBe(ExitCodes.Done, key.ToString());
        var viewer = await AssayProcess.RunAsync(folder.FullPath, "list", "--url", url, "--key", key.Output.Trim());
        viewer.ExitCode.ShouldBe(ExitCodes.Done, viewer.ToString());
        var halt = await AssayProcess.RunAsync(folder.FullPath, "halt", "--url", url, "--key", key.Output.Trim());
        halt.ExitCode.ShouldBe(ExitCodes.BadInput, halt.ToString());

        await serve.InterruptAsync();
        (await serve.EndAsync()).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Fact]
    public async Task Should_name_the_setting_when_the_port_is_in_use()
    {
        using var folder = new TemporaryFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var result = await AssayProcess.RunAsync(folder.FullPath, "serve", "--urls", $"http://127.0.0.1:{port}");
        result.ExitCode.ShouldBe(ExitCodes.BadInput, result.ToString());
        result.Error.ShouldContain($"{port}");
        result.Error.ShouldContain("--urls");
        result.Error.ShouldNotContain("   at ", Case.Sensitive, "a sentence, no stack");
    }

    [Fact]
    public async Task Should_be_well_according_to_the_doctor()
    {
        using var folder = new TemporaryFolder();
        var result = await AssayProcess.RunAsync(folder.FullPath, "doctor", "--integrity");
        result.ExitCode.ShouldBe(ExitCodes.Done, result.ToString());
        result.Output.ShouldContain("All is well.");
        result.Output.ShouldContain("simulated");
    }

    [Fact]
    public async Task Should_halt_and_resume()
    {
        using var folder = new TemporaryFolder();
        (await AssayProcess.RunAsync(folder.FullPath, "halt", "--reason", "a test")).Output.ShouldStartWith("halted: a test");
        (await AssayProcess.RunAsync(folder.FullPath, "doctor")).Output.ShouldContain("halted by");
        (await AssayProcess.RunAsync(folder.FullPath, "resume")).Output.ShouldStartWith("resumed");
    }

    [Fact]
    public async Task Should_spend_nothing_on_a_restored_ledger_before_the_doctor()
    {
        using var folder = new TemporaryFolder();
        var ledger = Path.Combine(folder.FullPath, "data", "llm-gateway.db");
        async Task<AssayProcess.Result> AuditAsync(string brand)
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullPath, $"{brand}.json"), $$"""{ "brand": { "name": "{{brand}}" }, "queries": ["best earbuds"], "engines": ["chatgpt"], "ceilingUsd": 1, "minCoverage": 0 }""");
            return await AssayProcess.RunAsync(folder.FullPath, "audit", $"{brand}.json", "--out", $"out-{brand}", "--data", "data", "--yes", "--quiet");
        }

        (await AuditAsync("Anker")).ExitCode.ShouldBe(ExitCodes.Done);
        File.Copy(ledger, ledger + ".backup");
        (await AuditAsync("Sony")).ExitCode.ShouldBe(ExitCodes.Done);
        foreach (var part in new[] { "", "-wal", "-shm" })
            File.Delete(ledger + part);
        File.Move(ledger + ".backup", ledger);

        var refused = await AuditAsync("Bose");
        refused.ExitCode.ShouldBe(ExitCodes.BadInput, refused.ToString());
        refused.ToString().ShouldContain("LedgerRestored");
        (await AssayProcess.RunAsync(folder.FullPath, "resume", "--data", "data")).ExitCode.ShouldBe(ExitCodes.Failed);

        var doctor = await AssayProcess.RunAsync(folder.FullPath, "doctor", "--after-restore", "--data", "data");
        doctor.ExitCode.ShouldBe(ExitCodes.Done, doctor.ToString());
        doctor.Output.ShouldContain("are unknown to it");
        doctor.Output.ShouldContain("forgotten");
        (await AssayProcess.RunAsync(folder.FullPath, "doctor", "--after-restore", "--data", "data")).Output.ShouldContain("misses nothing");
        (await AuditAsync("Bose")).ExitCode.ShouldBe(ExitCodes.Done);
    }
}
