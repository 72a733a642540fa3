using System.CommandLine;
using System.CommandLine.Parsing;
using Assay.Embedded.Accuracy;
using Assay.Embedded.Audits;
using Assay.Embedded.Doctor;
using Assay.Embedded.Init;
using Assay.Embedded.Operations;
using Assay.Embedded.Serve;

namespace Assay.Embedded.Cli;

/// <summary>The command line <c>assay</c>.</summary>
static class AssayCli
{
    public static Task<int> RunAsync(string[] args) => RunAsync(args, CliContext.OfProcess());

    public static async Task<int> RunAsync(string[] args, CliContext cli)
    {
        var root = new RootCommand("Assay runs AI visibility audits: what AI engines answer about a brand, scored with honest intervals.");
        var target = new SystemOptions();
        target.AddTo(root);
        // Without a command the system is served.
        ServeCommand.Configure(root, cli, target);
        var serve = new Command("serve", "Serve pages and REST here until Ctrl+C (the default); prints a login link");
        ServeCommand.Configure(serve, cli, target);
        foreach (var command in new[]
        {
            serve, AuditCommand.Create(cli, target), QuoteCommand.Create(cli, target), RetryCommand.Create(cli, target), ListCommand.Create(cli, target),
            ShowCommand.Create(cli, target), CancelCommand.Create(cli, target), ExportCommand.Create(cli, target), RederiveCommand.Create(cli, target), SpendingCommands.Halt(cli, target),
            SpendingCommands.Resume(cli, target), EngineCommands.List(cli, target), EngineCommands.Pause(cli, target), EngineCommands.Resume(cli, target), RebuildCommand.Create(cli, target), KeyCommand.Create(cli, target), InitCommand.Create(cli), DoctorCommand.Create(cli, target), AccuracyCommand.Create(cli),
        })
            root.Subcommands.Add(command);

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
        catch (Exception error) when (Environment.GetEnvironmentVariable("ASSAY_DEBUG") is not { Length: > 0 })
        {
            var cause = error.GetBaseException();
            return await TellAsync(cli, CommandError.Failed($"{parsed.CommandResult.Command.Name} ended unexpectedly: {cause.GetType().Name}: {cause.Message}", "The log in the data directory tells more; ASSAY_DEBUG=1 shows where."));
        }
    }

    static async Task<int> TellAsync(CliContext cli, CommandError error)
    {
        await cli.NoteAsync(error.Text);
        return error.ExitCode;
    }

    static string Sentence(IEnumerable<ParseError> errors) =>
        string.Join(" ", errors.Select(e => e.SymbolResult is ArgumentResult { Tokens.Count: 0, Parent: CommandResult command } missing
            ? $"{command.Command.Name} needs {missing.Argument.Name}: {missing.Argument.Description}."
            : e.Message.TrimEnd('.') + ".").Distinct(StringComparer.Ordinal));

    static string Path(CommandResult command)
    {
        List<string> names = [];
        for (SymbolResult? at = command; at is CommandResult { Command: not RootCommand } c; at = c.Parent)
            names.Insert(0, c.Command.Name);
        return names.Count == 0 ? "" : string.Join(' ', names) + " ";
    }
}
