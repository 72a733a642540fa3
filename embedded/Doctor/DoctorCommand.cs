using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Embedded.Api;
using Assay.Embedded.Audits;
using Assay.Embedded.Cli;
using Assay.Embedded.DataDirectories;
using Assay.Embedded.Host;
using Microsoft.Data.Sqlite;

namespace Assay.Embedded.Doctor;

/// <summary><c>assay doctor</c>: looks at everything an audit needs and says what is wrong and what to do.</summary>
static class DoctorCommand
{
    const int ExamplesShown = 10;
    const long LittleSpace = 500L * 1024 * 1024;

    public static Command Create(CliContext cli, SystemOptions target)
    {
        var integrity = new Option<bool>("--integrity") { Description = "Also read every page of the databases, and compare what saga, ledger, analysis and read model hold of every ended audit" };
        var afterRestore = new Option<bool>("--after-restore") { Description = "After the gateway's database was restored: fail and fence what is unfinished, list what the ledger has forgotten, let calls leave again" };
        var command = new Command("doctor", "Check the data directory, the databases, the engines and the ledger") { integrity, afterRestore };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var choice = target.Read(parsed, cli);
            var findings = new Findings(cli);
            if (choice.Url is null)
            {
                await CheckFolderAsync(findings, choice.DataPath, cancellationToken);
                await CheckFilesAsync(findings, choice.DataPath, parsed.GetValue(integrity), cancellationToken);
            }

            // A damaged file would only be told again, less clearly, by a system that cannot start on it.
            if (!findings.AnyFailure)
                await CheckSystemAsync(cli, findings, choice, parsed.GetValue(integrity), parsed.GetValue(afterRestore), cancellationToken);
            await cli.Out.WriteLineAsync(findings.AnyFailure ? "Something is wrong; see FAIL above." : "All is well.");
            return findings.AnyFailure ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }

    static async Task CheckFolderAsync(Findings findings, string path, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path))
        {
            await findings.OkAsync("data", $"{path} does not exist yet; the first command makes it.");
            return;
        }

        var owner = await DataDirectory.ReadOwnerAsync(path, cancellationToken);
        await findings.OkAsync("data", path + (owner?.Url is { } url ? string.Create(CultureInfo.InvariantCulture, $", held by process {owner.ProcessId} ({owner.Command} at {url.TrimEnd('/')})") : ""));
        var free = new DriveInfo(path).AvailableFreeSpace;
        if (free < LittleSpace)
            await findings.WarnAsync("disk", string.Create(CultureInfo.InvariantCulture, $"only {free / 1024 / 1024} MB are free beside {path}; make room before a large audit."));
        else
            await findings.OkAsync("disk", string.Create(CultureInfo.InvariantCulture, $"{free / 1024 / 1024 / 1024.0:0.0} GB free"));
    }

    static async Task CheckFilesAsync(Findings findings, string path, bool thoroughly, CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "AuditSaga", "LlmGateway", "Analyzer", "Dashboard" })
        {
            var file = Path.Combine(path, EmbeddedHost.DatabaseFile(name));
            if (!File.Exists(file))
                continue;
            var answer = await CheckFileAsync(file, thoroughly ? "PRAGMA integrity_check(5)" : "PRAGMA quick_check(1)", cancellationToken);
            var size = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}, {new FileInfo(file).Length / 1024.0 / 1024:0.0} MB");
            if (answer == "ok")
                await findings.OkAsync("database", size);
            else
                await findings.FailAsync("database", $"{file} is damaged: {answer}. Restore it from a backup, or start anew with --data DIR.");
        }
    }

    static async Task<string> CheckFileAsync(string file, string pragma, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            await connection.OpenAsync(cancellationToken);
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // One of two constants.
            command.CommandText = pragma;
#pragma warning restore CA2100
            return Convert.ToString(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) ?? "no answer";
        }
        catch (SqliteException e)
        {
            return e.Message;
        }
    }

    static async Task CheckSystemAsync(CliContext cli, Findings findings, SystemChoice choice, bool thoroughly, bool afterRestore, CancellationToken cancellationToken)
    {
        await using var system = await AssaySystem.ConnectAsync(cli, choice, "doctor", cancellationToken);
        var (ready, text) = await system.Api.ReadyAsync(cancellationToken);
        if (ready)
            await findings.OkAsync("ready", $"{system.Api.Address.ToString().TrimEnd('/')} is ready");
        else
            await findings.FailAsync("ready", $"{system.Api.Address} is not ready: {NotReady(text)}");

        if (afterRestore)
            await RecoverAsync(findings, system, cancellationToken);
        foreach (var engine in await system.Api.EnginesAsync(cancellationToken))
        {
            var what = $"{engine.Engine}: {engine.Kind} {engine.Model}{(engine.Simulated ? " (simulated, costs nothing, measures nothing real)" : "")}";
            if (engine.State == "ready")
                await findings.OkAsync("engine", what);
            else
                await findings.WarnAsync("engine", $"{what}: {engine.State}");
        }

        var spending = await system.Api.SpendingAsync(null, cancellationToken);
        if (spending.Halted)
            await findings.WarnAsync("spending", $"halted by {spending.HaltedBy} at {Show.Time(spending.HaltedAt)}: {spending.HaltReason}; {(spending.HaltReason?.StartsWith("LedgerRestored", StringComparison.Ordinal) == true ? "only `assay doctor --after-restore` ends this halt." : "`assay resume` allows it again.")}");
        foreach (var day in spending.Scopes.Where(s => s.Scope.StartsWith("day:", StringComparison.Ordinal)))
            await findings.OkAsync("spending", $"{day.Scope[4..]}: {Show.Usd(day.SpentUsd)} spent, {Show.Usd(day.ReservedUsd)} reserved of {Show.Usd(day.CeilingUsd)}");
        if (spending.InDoubt.Count > 0)
            await findings.WarnAsync("in doubt", $"{Show.Count(spending.InDoubt.Count, "call")} worth up to {Show.Usd(spending.InDoubt.Sum(c => c.WorstCaseUsd))}; `assay retry ID --ask-in-doubt-again` permits one more try each.");
        if (spending.Scopes.Where(s => s.OverrunUsd > 0).Sum(s => s.OverrunUsd) is > 0 and var overrun)
            await findings.WarnAsync("overrun", $"{Show.Usd(overrun)} were billed above the reservations; check the engines' prices.");

        var live = await system.Api.ListAsync("?status=live&pageSize=50", cancellationToken);
        var now = cli.Time.GetUtcNow().UtcDateTime;
        foreach (var audit in live.Items.Where(a => a.DeadlineAt is { } deadline && now > deadline.AddSeconds(60)))
            await findings.FailAsync("audit", $"{audit.AuditId} is {audit.Status} 60 s past its deadline {Show.Time(audit.DeadlineAt)}; the watch should have failed it. See the log.");
        await findings.OkAsync("audits", $"{live.Total} live");
        if (thoroughly)
            await CompareServicesAsync(system, findings, cancellationToken);
    }

    static async Task CompareServicesAsync(AssaySystem system, Findings findings, CancellationToken cancellationToken)
    {
        var found = new List<IntegrityDifference>();
        var unanswered = new SortedSet<string>(StringComparer.Ordinal);
        var (compared, unsettled) = (0, 0);
        var repairing = new List<string?>();
        string? cursor = null;
        do
        {
            var page = await system.Api.CheckIntegrityAsync(cursor, repair: true, cancellationToken);
            if (page.Differences.Any(difference => difference.Repaired))
                repairing.Add(cursor);
            found.AddRange(page.Differences);
            unanswered.UnionWith(page.Unanswered);
            (compared, unsettled) = (compared + page.Checked, unsettled + page.Unsettled);
            cursor = page.Next;
        }
        while (cursor is not null);

        var stillWrong = await WaitForRepairAsync(system, repairing, cancellationToken);
        foreach (var service in unanswered)
            await findings.FailAsync("integrity", $"{service} did not answer; nothing was compared with it. See its log, then run this again.");
        foreach (var kind in found.GroupBy(difference => difference.Kind, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            await findings.FailAsync("integrity", $"{kind.Key}: {Show.Count(kind.Count(), "audit")}{(kind.All(difference => difference.Repaired && !stillWrong.Contains((difference.AuditId, difference.Kind))) ? ", repaired" : "")}");
            foreach (var difference in kind.Take(ExamplesShown))
                await findings.NoteAsync($"{difference.AuditId}: {difference.Detail}");
        }

        var aside = unsettled == 0 ? "" : $"; {unsettled} live or just ended, not compared";
        if (found.Count == 0 && unanswered.Count == 0)
            await findings.OkAsync("integrity", $"saga, ledger, analysis and read model agree on {Show.Count(compared, "ended audit")}{aside}");
        else
            await findings.NoteAsync($"{Show.Count(compared, "ended audit")} compared{aside}. Only the read model is ever repaired; for the rest compare with a backup.");
    }

    /// <summary>The read model is repaired by messages; looks again until they have come, or for long enough.</summary>
    static async Task<HashSet<(Guid AuditId, string Kind)>> WaitForRepairAsync(AssaySystem system, List<string?> pages, CancellationToken cancellationToken)
    {
        HashSet<(Guid, string)> wrong = [];
        for (var look = 0; pages.Count > 0 && look < 20; look++)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5), cancellationToken);
            wrong.Clear();
            foreach (var page in pages)
                wrong.UnionWith((await system.Api.CheckIntegrityAsync(page, repair: false, cancellationToken)).Differences.Where(difference => difference.Repaired).Select(difference => (difference.AuditId, difference.Kind)));
            if (wrong.Count == 0)
                break;
        }

        return wrong;
    }

    static async Task RecoverAsync(Findings findings, AssaySystem system, CancellationToken cancellationToken)
    {
        var done = await system.Api.RecoverAsync("assay doctor --after-restore", cancellationToken);
        if (!done.WasRestored)
        {
            await findings.OkAsync("restore", "the ledger misses nothing that was seen of it; nothing was changed.");
            return;
        }

        await findings.WarnAsync("restore", string.Create(CultureInfo.InvariantCulture,
            $"the ledger stood at {done.LedgerSequence} and had been at {done.HighestSequence}; calls sent between {(done.UnknownFrom is { } from ? Show.Time(from) : "its beginning")} and {Show.Time(done.UnknownTo)} are unknown to it. Compare that span with the providers' bills."));
        await findings.OkAsync("restore", $"{Show.Count(done.FailedAudits.Count, "live audit")} failed, {Show.Count(done.FencedAudits.Count, "budget")} fenced; calls may leave again.");
        foreach (var audit in done.FailedAudits)
            await findings.OkAsync("failed", $"{audit}; `assay retry {audit}` pays again for what the ledger has forgotten.");
        foreach (var audit in done.Forgotten)
            await findings.WarnAsync("forgotten", string.Create(CultureInfo.InvariantCulture, $"{audit.AuditId} attempt {audit.Attempt} ({audit.State}): {Show.Usd(audit.SeenUsd)} were spent, the ledger knows of {Show.Usd(audit.KnownUsd)}."));
    }

    static string NotReady(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return string.Join("; ", document.RootElement.At("checks").EnumerateObject().Where(c => c.Value.Text("status") != "Healthy").Select(c => $"{c.Name} {c.Value.Text("status")} {c.Value.Text("description")}"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }
    }

    sealed class Findings(CliContext cli)
    {
        public bool AnyFailure { get; private set; }

        public Task OkAsync(string what, string text) => cli.Out.WriteLineAsync($"ok    {what,-9} {text}");

        public Task NoteAsync(string text) => cli.Out.WriteLineAsync($"      {"",-9} {text}");

        public Task WarnAsync(string what, string text) => cli.Out.WriteLineAsync($"warn  {what,-9} {text}");

        public Task FailAsync(string what, string text)
        {
            AnyFailure = true;
            return cli.Out.WriteLineAsync($"FAIL  {what,-9} {text}");
        }
    }
}
