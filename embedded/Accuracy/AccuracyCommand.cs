using System.CommandLine;
using Assay.Analyzer.MeasureAccuracy;
using Assay.Embedded.Cli;

namespace Assay.Embedded.Accuracy;

/// <summary><c>assay accuracy FILE.jsonl</c>: measures the reading of answers against labelled ones.</summary>
static class AccuracyCommand
{
    public static Command Create(CliContext cli)
    {
        var file = new Argument<string>("FILE") { Description = "Labelled answers, one JSON object a line: query, engine, run, answer, labels [{brand, name, rank}]" };
        var command = new Command("accuracy", "Measure mentions and ranks against labelled answers") { file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var given = parsed.GetValue(file)!;
            try
            {
                await AccuracyReport.RunAsync(Path.GetFullPath(given, cli.Folder), cli.Out, cancellationToken);
                return ExitCodes.Done;
            }
            catch (FileNotFoundException e)
            {
                throw CommandError.BadInput($"There is no file {given} (looked in {cli.Folder}).", "Give the path of a JSONL file of labelled answers.", e);
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                throw CommandError.BadInput(e.Message, cause: e);
            }
        });
        return command;
    }
}
