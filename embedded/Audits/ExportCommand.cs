using System.CommandLine;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary><c>assay export ID</c>: writes the report of an audit again, free.</summary>
static class ExportCommand
{
    static readonly string[] Formats = ["json", "html", "csv"];

    public static Command Create(CliContext cli, SystemOptions target)
    {
        var id = Ids.Argument();
        var folder = new Option<string?>("--out", "-o") { Description = "Folder to write to (default: reports/ID beside the data)", HelpName = "DIR" };
        var format = new Option<string[]>("--format") { Description = "json, html or csv; may be repeated (default: all)", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong(Formats);
        var command = new Command("export", "Write the report of an audit") { id, folder, format };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditId = Ids.Parse(parsed.GetValue(id)!);
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "export", cancellationToken);
            var into = parsed.GetValue(folder) is { Length: > 0 } given ? Path.GetFullPath(given, cli.Folder) : Path.Combine(system.Choice.DataPath, "reports", auditId.ToString());
            foreach (var one in parsed.GetValue(format) is { Length: > 0 } chosen ? chosen : Formats)
            {
                var path = Path.Combine(into, $"report.{one}");
                await AuditRun.DownloadAsync(system.Api, auditId, one, path, cancellationToken);
                await cli.Out.WriteLineAsync(path);
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
