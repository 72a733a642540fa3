using System.CommandLine;
using Assay.Contracts;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary><c>assay retry AUDIT_ID</c>: the next attempt of an audit that failed or was cancelled; pays only for what is missing.</summary>
static class RetryCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var id = Ids.Argument();
        var options = new AuditOptions();
        var engine = AuditCommand.EngineOption();
        var again = new Option<bool>("--ask-in-doubt-again") { Description = "Permit one further paid try of each call whose outcome is in doubt" };
        var ceiling = new Option<decimal?>("--ceiling") { Description = "A new, higher ceiling over all attempts in US dollars", HelpName = "USD" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask before calls in doubt are paid again" };
        var command = new Command("retry", "Start the next attempt of a failed or cancelled audit") { id, engine, again, ceiling, yes };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditId = Ids.Parse(parsed.GetValue(id)!);
            if (parsed.GetValue(ceiling) is <= 0)
                throw CommandError.BadInput($"--ceiling is {parsed.GetValue(ceiling)}; it must be above 0.");
            var output = options.Read(parsed, cli);
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli, AuditCommand.ReadEngines(parsed, engine, cli)), "retry", cancellationToken);
            using var interrupts = new Interrupts(cli, "cancelling the audit, what was paid is kept; Ctrl+C again ends this process at once.", ExitCodes.Cancelled);

            var before = await system.Api.GetAsync(auditId, cancellationToken);
            if (!before.HasEnded || before.Status is AuditStates.Completed or AuditStates.Rejected)
                throw CommandError.BadInput($"Audit {auditId} is {before.Status}; only a Failed or Cancelled audit can be retried.", before.HasEnded ? null : $"`assay show {auditId}` tells how far it is.");
            if (parsed.GetValue(again) && !await ShowDoubtAsync(cli, system, auditId, parsed.GetValue(yes), cancellationToken))
                return ExitCodes.Cancelled;

            await system.Api.RetryAsync(auditId, before.Attempt, "Retried at the command line", parsed.GetValue(ceiling), parsed.GetValue(again), cancellationToken);
            var run = new AuditRun(cli, system, output);
            var status = await run.FollowAsync(auditId, before.Attempt + 1, interrupts.Token, cancellationToken);
            return await run.ReportAsync(status, reused: false, cancellationToken);
        });
        return command;
    }

    /// <summary>The price of asking again is shown before the permission is given.</summary>
    static async Task<bool> ShowDoubtAsync(CliContext cli, AssaySystem system, Guid auditId, bool yes, CancellationToken cancellationToken)
    {
        var spending = await system.Api.SpendingAsync(auditId, cancellationToken);
        var doubtful = spending.InDoubt.Where(c => c.AuditId == auditId).ToArray();
        var price = doubtful.Sum(c => c.WorstCaseUsd);
        await cli.NoteAsync($"{Show.Count(doubtful.Length, "call")} in doubt; asking again costs up to {Show.Usd(price)} more.");
        if (doubtful.Length == 0 || yes || !Confirmation.AtTerminal)
            return true;
        if (await Confirmation.AskAsync(cli, "Ask them again?", cancellationToken))
            return true;
        await cli.NoteAsync("nothing was started, nothing was spent.");
        return false;
    }
}
