using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary>How a command shows an audit and where it puts the report.</summary>
/// <param name="Out">Absolute path of the folder for report.json and report.html; null for the default beside the data.</param>
/// <param name="Json">One JSON object on standard output and nothing else there.</param>
/// <param name="Quiet">No progress and no table, only the result.</param>
sealed record AuditOutput(string? Out, bool Json, bool Quiet);

/// <summary>Follows one audit to its end, writes its report and says how it went.</summary>
sealed class AuditRun(CliContext cli, AssaySystem system, AuditOutput output)
{
    static readonly TimeSpan WireMayTake = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SystemMayBeAway = TimeSpan.FromMinutes(1);

    /// <summary>Follows the audit; the first interrupt cancels it and goes on following.</summary>
    /// <param name="auditId">The audit.</param>
    /// <param name="fromAttempt">The attempt to wait for; an earlier one's end is not this one's.</param>
    /// <param name="interrupt">Cancelled when the person asks to stop.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    public async Task<AuditStatus> FollowAsync(Guid auditId, int fromAttempt, CancellationToken interrupt, CancellationToken cancellationToken) =>
        await ProgressView.Choose(cli, output.Quiet, output.Json).ShowAsync(show => FollowAsync(auditId, fromAttempt, show, interrupt, cancellationToken));

    /// <summary>Writes the report of an ended audit and tells its result.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ReportAsync(AuditStatus status, bool reused, CancellationToken cancellationToken)
    {
        if (status.Status == AuditStates.Rejected)
            return await TellRejectedAsync(status);

        await WaitForTheWireAsync(status.AuditId, cancellationToken);
        var folder = output.Out ?? Path.Combine(system.Choice.DataPath, "reports", status.AuditId.ToString());
        var (json, html) = await WriteReportAsync(system.Api, status.AuditId, folder, cancellationToken);
        await using var file = new FileStream(json, FileMode.Open, FileAccess.Read, FileShare.Read);
        using var document = await JsonDocument.ParseAsync(file, cancellationToken: cancellationToken);
        var report = document.RootElement;

        var exitCode = status.Status switch
        {
            AuditStates.Completed => ExitCodes.Done,
            AuditStates.Cancelled => ExitCodes.Cancelled,
            _ => ExitCodes.Failed,
        };
        if (output.Json)
            await WriteJsonAsync(status, report, reused, exitCode, json, html);
        else
            await WriteTextAsync(status, report, reused, json, html);
        return exitCode;
    }

    /// <summary>Writes report.json and report.html of an audit into a folder.</summary>
    public static async Task<(string Json, string Html)> WriteReportAsync(AssayApi api, Guid auditId, string folder, CancellationToken cancellationToken)
    {
        var json = Path.Combine(folder, "report.json");
        var html = Path.Combine(folder, "report.html");
        await DownloadAsync(api, auditId, "json", json, cancellationToken);
        await DownloadAsync(api, auditId, "html", html, cancellationToken);
        return (json, html);
    }

    /// <summary>Writes one format of a report to a file; a reader never finds half of it.</summary>
    public static async Task DownloadAsync(AssayApi api, Guid auditId, string format, string path, CancellationToken cancellationToken)
    {
        await using var report = await api.ReportAsync(auditId, format, cancellationToken);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var draft = path + ".part";
            await using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
                await report.CopyToAsync(file, cancellationToken);
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandError.BadInput($"The report of audit {auditId} cannot be written to {path}: {e.Message}", $"`assay export {auditId} --out DIR` writes it elsewhere, free.", e);
        }
    }

    async Task<AuditStatus> FollowAsync(Guid auditId, int fromAttempt, Func<AuditStatus, Task> show, CancellationToken interrupt, CancellationToken cancellationToken)
    {
        var awaySince = (DateTimeOffset?)null;
        var cancelSent = false;
        var pause = TimeSpan.FromMilliseconds(150);
        while (true)
        {
            try
            {
                if (interrupt.IsCancellationRequested && !cancelSent)
                {
                    await CancelAsync(auditId, cancellationToken);
                    cancelSent = true;
                }

                var status = await system.Api.GetAsync(auditId, cancellationToken);
                awaySince = null;
                await show(status);
                if (status.HasEnded && (status.Attempt >= fromAttempt || status.Status == AuditStates.Rejected))
                    return status;
                // A long audit need not be asked about as often as a short one.
                if (status.LastProgressAt is { } at && cli.Time.GetUtcNow().UtcDateTime - at > TimeSpan.FromSeconds(10))
                    pause = TimeSpan.FromMilliseconds(700);
            }
            catch (UnreachableError error)
            {
                awaySince ??= cli.Time.GetUtcNow();
                if (system.IsOwn || cli.Time.GetUtcNow() - awaySince > (system.IsRemote ? SystemMayBeAway : TimeSpan.FromSeconds(3)))
                    throw CommandError.Failed($"Audit {auditId} can no longer be followed: {error.Message}", $"What was paid is kept; `assay show {auditId}` tells its state, `assay retry {auditId}` goes on and pays only for what is missing.", error);
            }

            await WaitAsync(pause, cancelSent ? CancellationToken.None : interrupt, cancellationToken);
        }
    }

    async Task CancelAsync(Guid auditId, CancellationToken cancellationToken)
    {
        try
        {
            await system.Api.CancelAsync(auditId, "Cancelled at the command line", cancellationToken);
        }
        catch (RefusalError)
        {
            // It ended by itself in the meantime; the next look tells how.
            await cli.NoteAsync($"audit {auditId} had ended already.");
        }
    }

    async Task WaitAsync(TimeSpan pause, CancellationToken interrupt, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(interrupt, cancellationToken);
        try
        {
            await Task.Delay(pause, cli.Time, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The interrupt ends the pause, not the following.
        }
    }

    /// <summary>Calls still on the wire at the end belong into the report if they come back soon; else it counts them as in doubt.</summary>
    async Task WaitForTheWireAsync(Guid auditId, CancellationToken cancellationToken)
    {
        var giveUpAt = cli.Time.GetUtcNow() + WireMayTake;
        while (cli.Time.GetUtcNow() < giveUpAt)
        {
            var status = await system.Api.GetAsync(auditId, cancellationToken);
            if (status.ReservedUsd is null or 0 && (status.ReportReady || status.Status != AuditStates.Completed))
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), cli.Time, cancellationToken);
        }
    }

    async Task<int> TellRejectedAsync(AuditStatus status)
    {
        var detail = status.Rejection?.Detail ?? "no reason was given";
        if (output.Json)
        {
            await cli.Out.WriteLineAsync(JsonSerializer.Serialize(
                new { auditId = status.AuditId, status = status.Status, reused = false, rejection = status.Rejection, exitCode = ExitCodes.BadInput }, AssayJson.Options));
        }

        await cli.NoteAsync($"The audit was refused, nothing was spent: {status.Rejection?.Reason}: {detail}");
        return ExitCodes.BadInput;
    }

    Task WriteJsonAsync(AuditStatus status, JsonElement report, bool reused, int exitCode, string json, string html) =>
        cli.Out.WriteLineAsync(JsonSerializer.Serialize(new
        {
            auditId = status.AuditId,
            status = status.Status,
            attempt = status.Attempt,
            reused,
            simulated = report.Flag("simulated"),
            failure = Element(report.At("failure")),
            scores = Element(report.At("scores")),
            coverage = Element(report.At("coverage")),
            spend = Element(report.At("spend")),
            report = new { json, html },
            exitCode,
        }, AssayJson.Options));

    static JsonElement? Element(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? null : element;

    async Task WriteTextAsync(AuditStatus status, JsonElement report, bool reused, string json, string html)
    {
        if (!output.Quiet)
            ScoreTable.Write(Terminal.For(cli, 120), report);

        if (reused)
            await cli.Out.WriteLineAsync("reused, $0");
        var spend = report.At("spend");
        var coverage = report.At("coverage");
        await cli.Out.WriteLineAsync($"{status.Status} {status.AuditId}{(report.Flag("simulated") ? " (simulated)" : "")}: {coverage.Number("valid")} of {coverage.Number("planned")} answers valid{Gaps(coverage)}; "
            + $"{Show.Usd(spend.Money("spentUsd"))} of {Show.Usd(spend.Money("ceilingUsd"))} spent on {Show.Count((int)spend.Number("calls"), "call")}{Doubt(spend)}");
        if (status.Status == AuditStates.Failed)
        {
            var failure = report.At("failure");
            await cli.NoteAsync($"The audit failed in {failure.Text("phase") ?? status.Failure?.Phase}: {failure.Text("reason") ?? status.Failure?.Reason}: {failure.Text("detail") ?? status.Failure?.Detail}");
            await cli.NoteAsync($"What was paid is kept; `assay retry {status.AuditId}` pays only for what is missing.");
        }

        await cli.Out.WriteLineAsync($"report: {json}");
        await cli.Out.WriteLineAsync($"        {html}");
    }

    static string Gaps(JsonElement coverage)
    {
        string[] gaps = [.. new[] { "declined", "refused", "empty", "inDoubt" }.Where(k => coverage.Number(k) > 0).Select(k => $"{coverage.Number(k)} {(k == "inDoubt" ? "in doubt" : k)}")];
        return gaps.Length == 0 ? "" : " (" + string.Join(", ", gaps) + ")";
    }

    static string Doubt(JsonElement spend) => spend.Money("inDoubtUsd") > 0 ? $", of it {Show.Usd(spend.Money("inDoubtUsd"))} in doubt" : "";
}
