using System.CommandLine;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary><c>assay cancel ID</c>: ends a live audit; no further call is sent, what was paid is kept.</summary>
static class CancelCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var id = Ids.Argument();
        var reason = new Option<string>("--reason") { Description = "Why, for the record", DefaultValueFactory = _ => "Cancelled at the command line", HelpName = "TEXT" };
        var command = new Command("cancel", "Cancel a live audit; what was paid is kept") { id, reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditId = Ids.Parse(parsed.GetValue(id)!);
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "cancel", cancellationToken);
            var ticket = await system.Api.CancelAsync(auditId, parsed.GetValue(reason)!, cancellationToken);
            await cli.Out.WriteLineAsync($"{ticket.Status} {auditId}");
            return ExitCodes.Done;
        });
        return command;
    }
}
