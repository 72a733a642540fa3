using Assay.Contracts;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Audits;

/// <summary>Before real money is spent for the first time from a data directory, the person at the terminal sees the price and says yes.</summary>
static class Confirmation
{
    const string ConfirmedFile = "confirmed-engines";

    /// <returns>False if the person said no.</returns>
    public static async Task<bool> OfPaidEnginesAsync(CliContext cli, AssaySystem system, RequestAudit request, bool yes, CancellationToken cancellationToken)
    {
        if (yes || !AtTerminal)
            return true;
        var quote = await system.Api.QuoteAsync(request, cancellationToken);
        // What would be refused costs nothing; the request itself brings the reason.
        if (quote.Refusal is not null)
            return true;
        string[] paid = [.. quote.Engines.Where(e => e.WorstCaseUsd > 0 && e.Kind is not ("scripted" or "replay")).Select(e => $"{e.Engine} {e.Kind} {e.Model}")];
        var confirmed = await ReadConfirmedAsync(system, cancellationToken);
        string[] first = [.. paid.Except(confirmed, StringComparer.Ordinal)];
        if (first.Length == 0)
            return true;

        await QuoteCommand.WriteAsync(cli.Error, quote, request.CeilingUsd);
        if (!await AskAsync(cli, $"First run on {string.Join(", ", first)}: spend up to {Show.Usd(Math.Min(quote.WorstCaseUsd, request.CeilingUsd))}?", cancellationToken))
        {
            await cli.NoteAsync("nothing was requested, nothing was spent.");
            return false;
        }

        if (!system.IsRemote)
            await File.WriteAllLinesAsync(Path.Combine(system.Choice.DataPath, ConfirmedFile), confirmed.Union(first, StringComparer.Ordinal), cancellationToken);
        return true;
    }

    /// <summary>Whether a person can see a question and answer it.</summary>
    public static bool AtTerminal => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    public static async Task<bool> AskAsync(CliContext cli, string question, CancellationToken cancellationToken)
    {
        await cli.Error.WriteAsync($"{question} [y/N] ");
        var answer = await Console.In.ReadLineAsync(cancellationToken);
        return answer?.Trim() is { Length: > 0 } text && "yes".StartsWith(text, StringComparison.OrdinalIgnoreCase);
    }

    static async Task<string[]> ReadConfirmedAsync(AssaySystem system, CancellationToken cancellationToken)
    {
        var file = Path.Combine(system.Choice.DataPath, ConfirmedFile);
        return system.IsRemote || !File.Exists(file) ? [] : await File.ReadAllLinesAsync(file, cancellationToken);
    }
}
