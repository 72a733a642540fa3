using System.CommandLine;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary><c>assay show ID</c>: one audit's state, money and way.</summary>
static class ShowCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var id = Ids.Argument();
        var json = new Option<bool>("--json") { Description = "Print the state as JSON" };
        var command = new Command("show", "Show one audit's state, money and way") { id, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditId = Ids.Parse(parsed.GetValue(id)!);
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "show", cancellationToken);
            if (parsed.GetValue(json))
            {
                await cli.Out.WriteLineAsync((await system.Api.GetRawAsync(auditId, cancellationToken)).GetRawText());
                return ExitCodes.Done;
            }

            var audit = await system.Api.GetAsync(auditId, cancellationToken);
            await cli.Out.WriteLineAsync($"{audit.Brand} ({audit.Kind}) {audit.AuditId}{(audit.Simulated ? " (simulated)" : "")}");
            await cli.Out.WriteLineAsync($"state     {audit.Status}, attempt {audit.Attempt}{(audit.WaitingFor is { Length: > 0 } wait ? $", waiting for {wait}" : "")}");
            if (audit.Failure is { } failure)
                await cli.Out.WriteLineAsync($"failure   {failure.Reason} in {failure.Phase}: {failure.Detail}");
            if (audit.Rejection is { } rejection)
                await cli.Out.WriteLineAsync($"refused   {rejection.Reason}: {rejection.Detail}{(rejection.ExistingAuditId is { } other ? $" ({other})" : "")}");
            await cli.Out.WriteLineAsync($"calls     {audit.CompletedCalls ?? 0} of {audit.PlannedCalls ?? 0} decided");
            await cli.Out.WriteLineAsync($"money     {Show.Usd(audit.SpentUsd)} spent, {Show.Usd(audit.ReservedUsd)} reserved, {Show.Usd(audit.InDoubtUsd)} in doubt, ceiling {Show.Usd(audit.CeilingUsd)}");
            await cli.Out.WriteLineAsync($"time      registered {Show.Time(audit.RegisteredAt)}, deadline {Show.Time(audit.DeadlineAt)}, ended {Show.Time(audit.EndedAt)}");
            foreach (var step in audit.Transitions ?? [])
                await cli.Out.WriteLineAsync($"          {Show.Time(step.At)}  {step.Attempt}  {step.From} → {step.To}  {step.Trigger}");
            foreach (var name in new[] { "overall", "visibility" })
                if (audit.Scores?.GetValueOrDefault(name) is { } score)
                    await cli.Out.WriteLineAsync($"{name,-10}{Show.Score(name, score.Value)}  {Show.Interval(name, score)}");
            if (audit.ReportReady)
                await cli.NoteAsync($"`assay export {auditId}` writes its report.");
            return ExitCodes.Done;
        });
        return command;
    }
}
