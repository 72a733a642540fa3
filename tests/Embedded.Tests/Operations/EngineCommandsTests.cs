using System.Globalization;
using Assay.Embedded.Cli;
using Assay.TestServers;

namespace Assay.Embedded.Tests.Operations;

public sealed class EnginesAtTheCommandLine
{
    [Fact]
    public async Task Should_be_listed_paused_and_resumed_by_whoever_may()
    {
        using var folder = new TemporaryFolder();
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Loopback.FreePort()}");
        await using var serve = AssayProcess.Start(folder.FullPath, "serve", "--urls", url);
        await serve.FirstLineAsync();

        var engines = await AssayProcess.RunAsync(folder.FullPath, "engines");
        engines.ExitCode.ShouldBe(ExitCodes.Done, engines.ToString());
        Line(engines, "chatgpt").ShouldStartWith("chatgpt  ready  scripted");
        Line(engines, "chatgpt").ShouldContain("(simulated)");
        engines.Output.Split('\n').Length.ShouldBe(5, engines.ToString());

        var paused = await AssayProcess.RunAsync(folder.FullPath, "pause", "chatgpt", "--reason", "it answers nonsense");
        paused.ExitCode.ShouldBe(ExitCodes.Done, paused.ToString());
        paused.Output.ShouldStartWith("paused: chatgpt  paused");
        Line(await AssayProcess.RunAsync(folder.FullPath, "engines"), "chatgpt").ShouldContain("it answers nonsense");
        Line(await AssayProcess.RunAsync(folder.FullPath, "engines"), "claude").ShouldStartWith("claude  ready");

        // A viewer sees it and changes nothing.
        var key = (await AssayProcess.RunAsync(folder.FullPath, "key", "create", "--role", "viewer", "--name", "a test")).Output.Trim();
        Line(await AssayProcess.RunAsync(folder.FullPath, "engines", "--url", url, "--key", key), "chatgpt").ShouldContain("paused");
        var refused = await AssayProcess.RunAsync(folder.FullPath, "resume-engine", "chatgpt", "--url", url, "--key", key);
        refused.ExitCode.ShouldBe(ExitCodes.BadInput, refused.ToString());

        var resumed = await AssayProcess.RunAsync(folder.FullPath, "resume-engine", "chatgpt");
        resumed.ExitCode.ShouldBe(ExitCodes.Done, resumed.ToString());
        resumed.Output.ShouldStartWith("resumed: chatgpt  ready");

        var unknown = await AssayProcess.RunAsync(folder.FullPath, "pause", "no-such-engine");
        unknown.ExitCode.ShouldNotBe(ExitCodes.Done, unknown.ToString());
        unknown.Error.ShouldContain("no-such-engine");
        var missing = await AssayProcess.RunAsync(folder.FullPath, "pause");
        missing.ExitCode.ShouldBe(ExitCodes.BadInput, missing.ToString());
        missing.Error.ShouldContain("ENGINE");
    }

    [Fact]
    public async Task Should_stay_paused_when_nothing_runs_in_between()
    {
        using var folder = new TemporaryFolder();
        (await AssayProcess.RunAsync(folder.FullPath, "pause", "claude")).ExitCode.ShouldBe(ExitCodes.Done);
        Line(await AssayProcess.RunAsync(folder.FullPath, "engines"), "claude").ShouldStartWith("claude  paused");
    }

    static string Line(AssayProcess.Result result, string engine) =>
        result.Output.Split('\n').SingleOrDefault(line => line.StartsWith(engine + "  ", StringComparison.Ordinal)) ?? throw new InvalidOperationException($"No line of {engine}: {result}");
}
