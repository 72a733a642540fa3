using Assay.Contracts;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Assay.Embedded.Audits;

/// <summary>Shows an audit's way: live at a terminal, as plain lines elsewhere, not at all when asked to be quiet.</summary>
abstract class ProgressView
{
    /// <summary>Shows what <paramref name="follow"/> reports until it returns.</summary>
    public abstract Task<AuditStatus> ShowAsync(Func<Func<AuditStatus, Task>, Task<AuditStatus>> follow);

    public static ProgressView Choose(CliContext cli, bool quiet, bool json) =>
        quiet ? new Silent() : !json && !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi ? new Live(AnsiConsole.Console, cli.Time) : new Lines(cli, json ? cli.Error : cli.Out);

    sealed class Silent : ProgressView
    {
        public override Task<AuditStatus> ShowAsync(Func<Func<AuditStatus, Task>, Task<AuditStatus>> follow) => follow(_ => Task.CompletedTask);
    }

    /// <summary>A line at each new phase, at each new reason to wait, and every two seconds while calls are being decided.</summary>
    internal sealed class Lines(CliContext cli, TextWriter writer) : ProgressView
    {
        static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

        string shownPhase = "";
        string? shownWait;
        int shownCalls;
        DateTimeOffset shownAt;

        public override Task<AuditStatus> ShowAsync(Func<Func<AuditStatus, Task>, Task<AuditStatus>> follow) => follow(ShowAsync);

        async Task ShowAsync(AuditStatus status)
        {
            var now = cli.Time.GetUtcNow();
            var calls = status.CompletedCalls ?? 0;
            if (string.Equals(status.Status, shownPhase, StringComparison.Ordinal) && string.Equals(status.WaitingFor, shownWait, StringComparison.Ordinal) && (calls == shownCalls || now - shownAt < Every))
                return;
            (shownPhase, shownWait, shownCalls, shownAt) = (status.Status, status.WaitingFor, calls, now);
            await writer.WriteLineAsync(Line(status));
        }
    }

    internal static string Line(AuditStatus status)
    {
        var text = status.Status;
        if (status.PlannedCalls is > 0)
            text += $" {status.CompletedCalls ?? 0}/{status.PlannedCalls} calls";
        if (status.Engines is { Count: > 0 } engines && status.Status == AuditStates.Asking)
            text += " (" + string.Join(", ", engines.Select(e => $"{e.Name} {e.Decided}/{e.Total}")) + ")";
        text += $", {Show.Usd(status.SpentUsd)} of {Show.Usd(status.CeilingUsd)}";
        return status.WaitingFor is { Length: > 0 } wait ? $"{text}; waiting for {wait}" : text;
    }

    sealed class Live(IAnsiConsole console, TimeProvider time) : ProgressView
    {
        static readonly string[] Phases = [AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing];

        public override async Task<AuditStatus> ShowAsync(Func<Func<AuditStatus, Task>, Task<AuditStatus>> follow)
        {
            var began = time.GetTimestamp();
            AuditStatus? last = null;
            await console.Live(new Text("Starting…")).AutoClear(false).StartAsync(async live =>
            {
                last = await follow(status =>
                {
                    live.UpdateTarget(Render(status, time.GetElapsedTime(began)));
                    live.Refresh();
                    return Task.CompletedTask;
                });
            });
            return last!;
        }

        static Rows Render(AuditStatus status, TimeSpan elapsed)
        {
            List<IRenderable> rows =
            [
                new Markup($"[bold]{Markup.Escape(status.Brand ?? "audit")}[/] {status.AuditId} · attempt {Math.Max(status.Attempt, 1)} · {Show.Duration(elapsed)}{(status.Simulated ? " · simulated" : "")}"),
                new Markup(string.Join("  ", Phases.Select(p => Phase(p, status)))),
            ];
            if (status.Engines is { Count: > 0 } engines)
            {
                var grid = new Grid().AddColumns(4);
                foreach (var engine in engines)
                {
                    grid.AddRow(new Text(engine.Name), new Markup(Bar(engine.Total == 0 ? 0 : (double)engine.Decided / engine.Total, "blue")),
                        new Text($"{engine.Decided}/{engine.Total}"), new Text(engine.WaitingFor is { Length: > 0 } wait ? $"waiting for {wait}" : ""));
                }

                rows.Add(grid);
            }

            var ceiling = status.CeilingUsd ?? 0;
            var spent = status.SpentUsd ?? 0;
            var reserved = status.ReservedUsd is > 0 and { } r ? $", {Show.Usd(r)} reserved" : "";
            rows.Add(new Markup($"{Bar(ceiling == 0 ? 0 : (double)(spent / ceiling), "green")} {Show.Usd(spent)} of {Show.Usd(ceiling)} ceiling{reserved} · {status.CompletedCalls ?? 0}/{status.PlannedCalls ?? 0} calls"));
            if (status.WaitingFor is { Length: > 0 } waiting)
                rows.Add(new Markup($"[yellow]waiting for {Markup.Escape(waiting)}[/]"));
            return new Rows(rows);
        }

        static string Phase(string phase, AuditStatus status)
        {
            var at = Array.IndexOf(Phases, status.HasEnded ? status.Phase ?? "" : status.Status);
            var index = Array.IndexOf(Phases, phase);
            if (status.Status == AuditStates.Completed || index < at)
                return $"[green]✓ {phase}[/]";
            if (index == at)
                return status.HasEnded ? $"[red]✗ {phase}[/]" : $"[bold blue]▸ {phase}[/]";
            return $"[dim]{phase}[/]";
        }

        static string Bar(double fraction, string color)
        {
            const int Width = 24;
            var full = (int)Math.Round(Math.Clamp(fraction, 0, 1) * Width);
            return $"[{color}]{new string('━', full)}[/][dim]{new string('━', Width - full)}[/]";
        }
    }
}
