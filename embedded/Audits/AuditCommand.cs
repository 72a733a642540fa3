using System.CommandLine;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Assay.Embedded.Engines;
using Assay.Embedded.Host;
using Assay.Embedded.RequestFiles;

namespace Assay.Embedded.Audits;

/// <summary><c>assay audit FILE</c>: runs an audit to its end and writes its report.</summary>
static class AuditCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var file = new Argument<string>("FILE") { Description = "Request file (JSON); - reads standard input" };
        var options = new AuditOptions();
        var engine = EngineOption();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask before the first run on a paid engine" };
        var command = new Command("audit", "Run an audit and write report.json and report.html") { file, engine, yes };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var overrides = ReadEngines(parsed, engine, cli);
            var output = options.Read(parsed, cli);
            var read = await RequestFile.ReadAsync(parsed.GetValue(file)!, cli.Folder, cancellationToken);
            foreach (var warning in read.Warnings)
                await cli.NoteAsync(warning);
            var request = read.Request with { RequestedBy = read.Request.RequestedBy ?? $"assay audit ({Environment.UserName})" };

            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli, overrides), "audit", cancellationToken);
            using var interrupts = new Interrupts(cli, "cancelling the audit, what was paid is kept; Ctrl+C again ends this process at once.", ExitCodes.Cancelled);
            if (!await Confirmation.OfPaidEnginesAsync(cli, system, request, parsed.GetValue(yes), cancellationToken))
                return ExitCodes.Cancelled;
            return await RunAsync(cli, system, request, output, interrupts.Token, cancellationToken);
        });
        return command;
    }

    public static Option<string[]> EngineOption() => new("--engine")
    {
        Description = "Override an engine: NAME=scripted, NAME=replay:FILE or NAME=openai:MODEL@URL; may be repeated",
        HelpName = "NAME=KIND",
    };

    public static IReadOnlyList<EngineOverride> ReadEngines(ParseResult parsed, Option<string[]> option, CliContext cli) =>
        [.. (parsed.GetValue(option) ?? []).Select(text => EngineOverride.Parse(text, cli.Folder))];

    static async Task<int> RunAsync(CliContext cli, AssaySystem system, RequestAudit request, AuditOutput output, CancellationToken interrupt, CancellationToken cancellationToken)
    {
        var run = new AuditRun(cli, system, output);
        AuditTicket ticket;
        try
        {
            ticket = await system.Api.RequestAsync(request, cancellationToken);
        }
        catch (RefusalError refusal)
        {
            if (output.Json)
            {
                await cli.Out.WriteLineAsync(JsonSerializer.Serialize(
                    new { auditId = request.AuditId, status = AuditStates.Rejected, reused = false, rejection = new { refusal.Reason, detail = refusal.Message, refusal.ExistingAuditId }, exitCode = ExitCodes.BadInput }, AssayJson.Options));
            }

            throw;
        }

        if (ticket is { Reused: true, ExistingAuditId: { } existing })
            return await run.ReportAsync(await system.Api.GetAsync(existing, cancellationToken), reused: true, cancellationToken);

        var status = await run.FollowAsync(request.AuditId, fromAttempt: 1, interrupt, cancellationToken);
        if (status is { Status: AuditStates.Rejected, Rejection.Reason: RejectionReasons.AlreadyCompleted } && (status.ReusedAuditId ?? status.Rejection.ExistingAuditId) is { } already)
            return await run.ReportAsync(await system.Api.GetAsync(already, cancellationToken), reused: true, cancellationToken);
        return await run.ReportAsync(status, reused: false, cancellationToken);
    }
}

/// <summary>The options of every command that follows an audit.</summary>
sealed class AuditOptions
{
    readonly Option<string?> folder = new("--out", "-o") { Description = "Folder for report.json and report.html (default: reports/ID beside the data)", HelpName = "DIR" };
    readonly Option<bool> json = new("--json") { Description = "Print one JSON object on standard output" };
    readonly Option<bool> quiet = new("--quiet", "-q") { Description = "No progress and no table, only the result" };

    public void AddTo(Command command)
    {
        command.Options.Add(folder);
        command.Options.Add(json);
        command.Options.Add(quiet);
    }

    public AuditOutput Read(ParseResult parsed, CliContext cli)
    {
        var given = parsed.GetValue(folder);
        if (given is { Length: 0 })
            throw CommandError.BadInput("--out is empty.", "Name a folder, for example --out out.");
        var full = given is null ? null : Path.GetFullPath(given, cli.Folder);
        if (full is not null && File.Exists(full))
            throw CommandError.BadInput($"--out {given} is a file.", "Name a folder; it is created if needed.");
        return new AuditOutput(full, parsed.GetValue(json), parsed.GetValue(quiet));
    }
}
