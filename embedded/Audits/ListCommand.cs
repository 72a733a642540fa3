using System.CommandLine;
using System.Globalization;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;
using Spectre.Console;

namespace Assay.Embedded.Audits;

/// <summary><c>assay list</c>: the audits, newest first.</summary>
static class ListCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var status = new Option<string?>("--status") { Description = "Only this state, or live, or ended", HelpName = "STATE" };
        var brand = new Option<string?>("--brand") { Description = "Only this brand", HelpName = "NAME" };
        var page = new Option<int>("--page") { Description = "Which page, from 1", DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json") { Description = "Print the page as JSON" };
        var command = new Command("list", "List the audits, newest first") { status, brand, page, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "list", cancellationToken);
            var query = string.Create(CultureInfo.InvariantCulture, $"?page={Math.Max(1, parsed.GetValue(page))}&pageSize=50")
                + Part("status", parsed.GetValue(status)) + Part("brand", parsed.GetValue(brand));
            if (parsed.GetValue(json))
            {
                await cli.Out.WriteLineAsync((await system.Api.ListRawAsync(query, cancellationToken)).GetRawText());
                return ExitCodes.Done;
            }

            var audits = await system.Api.ListAsync(query, cancellationToken);
            if (audits.Items.Count == 0)
            {
                await cli.NoteAsync("no audits" + (parsed.GetValue(status) is null && parsed.GetValue(brand) is null ? " yet; `assay audit FILE` runs one." : " match."));
                return ExitCodes.Done;
            }

            var table = new Table().Border(TableBorder.None).AddColumns("Audit", "Brand", "State", "Attempt", "Calls", "Spent", "Ceiling", "Registered");
            foreach (var audit in audits.Items)
            {
                table.AddRow(audit.AuditId.ToString(), Markup.Escape(audit.Brand ?? "") + (audit.Simulated ? " (simulated)" : ""), audit.Status + (audit.Failure?.Reason is { } reason ? $" {Markup.Escape(reason)}" : ""),
                    audit.Attempt.ToString(), $"{audit.CompletedCalls ?? 0}/{audit.PlannedCalls ?? 0}", Show.Usd(audit.SpentUsd), Show.Usd(audit.CeilingUsd), Show.Time(audit.RegisteredAt));
            }

            Terminal.For(cli, 200).Write(table);
            if (audits.Pages > 1)
                await cli.NoteAsync($"page {parsed.GetValue(page)} of {audits.Pages}; --page shows another.");
            return ExitCodes.Done;
        });
        return command;
    }

    static string Part(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
