using System.CommandLine;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;
using Spectre.Console;

namespace Assay.Embedded.Audits;

/// <summary><c>assay rederive ID</c>: reads a past audit's stored answers again under other names, old and new side by side, free.</summary>
static class RederiveCommand
{
    const int MostAnswers = 20;
    const int MaxBytes = 200_000;

    public static Command Create(CliContext cli, SystemOptions target)
    {
        var id = Ids.Argument();
        var file = new Argument<string?>("FILE") { Description = "JSON with the names to use: brand, competitors, metricsVersion; a request file fits. Without it: the audit's own names under the newest rules", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print the answer as JSON" };
        var command = new Command("rederive", "Read a past audit's answers again under other names; costs $0 and changes nothing") { id, file, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditId = Ids.Parse(parsed.GetValue(id)!);
            var names = parsed.GetValue(file) is { Length: > 0 } path ? await ReadAsync(path, cli.Folder, cancellationToken) : new Names();
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "rederive", cancellationToken);
            var result = await system.Api.RederiveAsync(auditId, names, cancellationToken);
            if (parsed.GetValue(json))
                await cli.Out.WriteLineAsync(result.GetRawText());
            else
                Write(Terminal.For(cli, 120), result);
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>What a request file and the interface both call it.</summary>
    sealed record Names
    {
        public Brand? Brand { get; init; }
        public IReadOnlyList<Competitor>? Competitors { get; init; }
        public string? MetricsVersion { get; init; }
    }

    static async Task<Names> ReadAsync(string path, string folder, CancellationToken cancellationToken)
    {
        var full = Path.GetFullPath(path, folder);
        try
        {
            if (new FileInfo(full) is { Exists: true, Length: > MaxBytes })
                throw CommandError.BadInput($"{path} is larger than {MaxBytes} bytes; names never are.", "Check that it is the right file.");
            return JsonSerializer.Deserialize<Names>(await File.ReadAllTextAsync(full, cancellationToken), new JsonSerializerOptions(AssayJson.Options) { AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip })
                ?? throw CommandError.BadInput($"{path} holds null.", "Give { \"brand\": { \"name\": \"…\", \"aliases\": [\"…\"] }, \"competitors\": [ { \"name\": \"…\" } ] }.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CommandError.BadInput($"There is no file {path} (looked in {folder}).", "Give the path of a JSON file with brand and competitors, or none.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandError.BadInput($"{path} cannot be read: {e.Message}", "Check its permissions.", e);
        }
        catch (JsonException e)
        {
            throw CommandError.BadInput($"{path} does not hold the names of a brand and its competitors: {e.Message}", "Give { \"brand\": { \"name\": \"…\", \"aliases\": [\"…\"] }, \"competitors\": [ { \"name\": \"…\" } ] }.", e);
        }
    }

    static void Write(IAnsiConsole console, JsonElement result)
    {
        JsonElement before = result.At("before"), after = result.At("after");
        var table = new Table().Title(new TableTitle(after.Flag("simulated") ? "Read again (simulated)" : "Read again", new Style(decoration: Decoration.Bold))).Border(TableBorder.Rounded).LeftAligned();
        table.AddColumn("Metric").AddColumn(Right("As it was")).AddColumn(Right("95 % interval")).AddColumn(Right("Now")).AddColumn(Right("95 % interval"));
        var old = ScoreTable.Scores(before.At("scores"));
        foreach (var (name, score) in ScoreTable.Scores(after.At("scores")))
        {
            var was = old.GetValueOrDefault(name) ?? new ScoreValue();
            table.AddRow(Markup.Escape(Show.Metric(name)), Show.Score(name, was.Value), Show.Interval(name, was), Show.Score(name, score.Value), Show.Interval(name, score));
        }

        console.Write(table);
        console.WriteLine($"{result.Number("answersRead")} stored answers read by {result.Text("matcherVersion")}, {before.Text("metricsVersion")} then, {after.Text("metricsVersion")} now; cost $0, nothing stored changed.");
        var changed = result.At("changed");
        if (changed.ValueKind != JsonValueKind.Array || changed.GetArrayLength() == 0)
        {
            console.WriteLine("The same brands are found in every answer.");
            return;
        }

        foreach (var answer in changed.EnumerateArray().Take(MostAnswers))
            console.WriteLine($"  {answer.Text("queryId")} {answer.Text("engine")}: {Listed("found now", answer.At("found"))}{Listed("no longer found", answer.At("lost"))}{(answer.Text("outcomeBefore") == answer.Text("outcomeAfter") ? "" : $"{answer.Text("outcomeBefore")} → {answer.Text("outcomeAfter")}")}");
        if (changed.GetArrayLength() > MostAnswers)
            console.WriteLine($"  and {changed.GetArrayLength() - MostAnswers} more; --json lists them.");
    }

    static string Listed(string what, JsonElement names) =>
        names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0 ? $"{what} {string.Join(", ", names.EnumerateArray().Select(name => name.GetString()))} " : "";

    static TableColumn Right(string header) => new TableColumn(header).RightAligned().NoWrap();
}
