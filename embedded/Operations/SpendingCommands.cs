using System.CommandLine;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Operations;

/// <summary><c>assay halt</c> and <c>assay resume</c>: one action stops all spending; after it returned no call leaves.</summary>
static class SpendingCommands
{
    public static Command Halt(CliContext cli, SystemOptions target)
    {
        var reason = Reason();
        var command = new Command("halt", "Stop all spending; once it returns no call leaves any more") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "halt", cancellationToken);
            var answer = await system.Api.HaltAsync(parsed.GetValue(reason)!, cancellationToken);
            await cli.Out.WriteLineAsync($"halted: {answer.Reason} (by {answer.By} at {Show.Time(answer.At)})");
            await cli.NoteAsync("live audits wait until their deadline; `assay resume` lets them go on.");
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command Resume(CliContext cli, SystemOptions target)
    {
        var reason = Reason();
        var command = new Command("resume", "Allow spending again") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "resume", cancellationToken);
            var answer = await system.Api.ResumeAsync(parsed.GetValue(reason)!, cancellationToken);
            if (answer.Halted)
                throw CommandError.Failed($"Spending stays halted: {answer.Reason}", "Run `assay doctor --after-restore`.");
            await cli.Out.WriteLineAsync($"resumed: {answer.Reason} (by {answer.By} at {Show.Time(answer.At)})");
            return ExitCodes.Done;
        });
        return command;
    }

    static Option<string> Reason() => new("--reason") { Description = "Why, for the record", DefaultValueFactory = _ => "At the command line", HelpName = "TEXT" };
}
