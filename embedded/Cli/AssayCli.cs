using System.CommandLine;
using System.CommandLine.Parsing;
using Assay.Embedded.Init;

namespace Assay.Embedded.Cli;

/// <summary>The command line <c>assay</c>.</summary>
static class AssayCli
{
    public static Task<int> RunAsync(string[] args) => RunAsync(args, CliContext.OfProcess());

    public static async Task<int> RunAsync(string[] args, CliContext cli)
    {
        var root = new RootCommand("Assay runs AI visibility audits: what AI engines answer about a brand, scored with honest intervals.");
        root.Subcommands.Add(InitCommand.Create(cli));

        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return await TellAsync(cli, CommandError.BadInput(Sentence(parsed.Errors), $"`assay {Path(parsed.CommandResult)}--help` lists what is known."));

        // Ctrl+C means something else in each command (an audit is cancelled first), so no handler of the parser's own.
        var configuration = new InvocationConfiguration { Output = cli.Out, Error = cli.Error, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (CommandError error)
        {
            return await TellAsync(cli, error);
        }
    }

    static async Task<int> TellAsync(CliContext cli, CommandError error)
    {
        await cli.NoteAsync(error.Text);
        return error.ExitCode;
    }

    static string Sentence(IEnumerable<ParseError> errors) =>
        string.Join(" ", errors.Select(e => e.Message.TrimEnd('.') + ".").Distinct(StringComparer.Ordinal));

    static string Path(CommandResult command)
    {
        List<string> names = [];
        for (SymbolResult? at = command; at is CommandResult { Command: not RootCommand } c; at = c.Parent)
            names.Insert(0, c.Command.Name);
        return names.Count == 0 ? "" : string.Join(' ', names) + " ";
    }
}
