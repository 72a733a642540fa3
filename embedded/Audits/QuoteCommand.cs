using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;
using Assay.Embedded.RequestFiles;

namespace Assay.Embedded.Audits;

/// <summary><c>assay quote FILE</c>: what an audit would cost and what the money buys.</summary>
static class QuoteCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var file = new Argument<string>("FILE") { Description = "Request file (JSON); - reads standard input" };
        var engine = AuditCommand.EngineOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("quote", "Tell what an audit would cost, without starting it") { file, engine, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var overrides = AuditCommand.ReadEngines(parsed, engine, cli);
            var read = await RequestFile.ReadAsync(parsed.GetValue(file)!, cli.Folder, cancellationToken);
            foreach (var warning in read.Warnings)
                await cli.NoteAsync(warning);
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli, overrides), "quote", cancellationToken);
            var quote = await system.Api.QuoteAsync(read.Request, cancellationToken);
            if (parsed.GetValue(json))
                await cli.Out.WriteLineAsync(JsonSerializer.Serialize(quote, AssayJson.Options));
            else
                await WriteAsync(cli.Out, quote, read.Request.CeilingUsd);
            if (quote.Refusal is null)
                return ExitCodes.Done;
            await cli.NoteAsync($"The audit would be refused now: {quote.Refusal}: {quote.RefusalDetail}");
            return ExitCodes.BadInput;
        });
        return command;
    }

    public static async Task WriteAsync(TextWriter writer, AuditQuoted quote, decimal ceilingUsd)
    {
        var width = quote.Engines.Select(e => e.Engine.Length).DefaultIfEmpty(0).Max();
        foreach (var engine in quote.Engines)
            await writer.WriteLineAsync($"  {engine.Engine.PadRight(width)}  {Show.Count(engine.Calls, "call"),10}  {Show.Usd(engine.WorstCaseUsd),10} at worst  {engine.Kind} {engine.Model}{(engine.Simulated ? " (simulated)" : "")}");
        await writer.WriteLineAsync($"{Show.Count(quote.Calls, "call")}: {Show.Usd(quote.ExpectedUsd)} expected, {Show.Usd(quote.WorstCaseUsd)} at worst; "
            + $"{(quote.FitsCeiling ? "fits" : "does not fit")} under the ceiling of {Show.Usd(ceilingUsd)}");
        await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"visibility would be known to about ± {quote.ExpectedHalfWidth * 100:0.0} points"));
    }
}
