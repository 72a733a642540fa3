using System.CommandLine;
using System.Globalization;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Operations;

/// <summary><c>assay engines</c>, <c>assay pause NAME</c> and <c>assay resume-engine NAME</c>.</summary>
static class EngineCommands
{
    public static Command List(CliContext cli, SystemOptions target)
    {
        var command = new Command("engines", "List the engines with their state, load and limits");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "engines", cancellationToken);
            foreach (var engine in await system.Api.EnginesAsync(cancellationToken))
                await cli.Out.WriteLineAsync(Line(engine));
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command Pause(CliContext cli, SystemOptions target) =>
        Change(cli, target, "pause", "Let one engine rest: its calls wait until `assay resume-engine`", "pause", "paused");

    public static Command Resume(CliContext cli, SystemOptions target) =>
        Change(cli, target, "resume-engine", "Let a paused engine be asked again", "resume", "resumed");

    static Command Change(CliContext cli, SystemOptions target, string name, string description, string action, string done)
    {
        var engine = new Argument<string>("ENGINE") { Description = "The configured name of the engine; `assay engines` lists them" };
        var reason = new Option<string>("--reason") { Description = "Why, for the record", DefaultValueFactory = _ => "At the command line", HelpName = "TEXT" };
        var command = new Command(name, description) { engine, reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), name, cancellationToken);
            var changed = await system.Api.ChangeEngineAsync(parsed.GetValue(engine)!, action, parsed.GetValue(reason)!, cancellationToken);
            await cli.Out.WriteLineAsync($"{done}: {Line(changed)}");
            return ExitCodes.Done;
        });
        return command;
    }

    static string Line(EngineState engine) => string.Create(CultureInfo.InvariantCulture,
        $"{engine.Engine}  {engine.State}  {engine.Kind} {engine.Model}{(engine.Simulated ? " (simulated)" : "")}  {engine.OnTheWire} of {engine.MaxConcurrency} at once, {engine.Waiting} waiting, {engine.RequestsInLastMinute} of {engine.RequestsPerMinute?.ToString(CultureInfo.InvariantCulture) ?? "any"} requests a minute{(engine.PausedBy is null ? "" : $"; paused by {engine.PausedBy}: {engine.PauseReason}")}");
}
