using System.CommandLine;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Operations;

/// <summary><c>assay rebuild</c>: what the pages show is told anew by the services that know it.</summary>
static class RebuildCommand
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);

    public static Command Create(CliContext cli, SystemOptions target)
    {
        var reason = new Option<string>("--reason") { Description = "Why, for the record", DefaultValueFactory = _ => "At the command line", HelpName = "TEXT" };
        var command = new Command("rebuild", "Have the read model told anew from the saga's, the ledger's and the analysis's own data; costs nothing") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "rebuild", cancellationToken);
            var started = await system.Api.RebuildAsync(parsed.GetValue(reason)!, cancellationToken);
            await cli.NoteAsync($"{Show.Count(started.Audits, "ended audit")} and whatever is missing are told anew; until then each stays as it is.");
            RebuildProgress progress;
            while ((progress = await system.Api.RebuildProgressAsync(cancellationToken)).Running)
                await Task.Delay(Pause, cli.Time, cancellationToken);
            if (progress.Outcome is not { } outcome || outcome.StartsWith("It stopped", StringComparison.Ordinal))
                throw CommandError.Failed($"The read model was not rebuilt to its end. {progress.Outcome}", "`assay doctor --integrity` tells what differs.");
            await cli.Out.WriteLineAsync($"rebuilt: {outcome}");
            return ExitCodes.Done;
        });
        return command;
    }
}
