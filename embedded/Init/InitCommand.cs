using System.CommandLine;
using Assay.Embedded.Cli;

namespace Assay.Embedded.Init;

/// <summary><c>assay init</c>: prints a request file to start from.</summary>
static class InitCommand
{
    const string Resource = "Assay.Embedded.Init.example.json";

    public static Command Create(CliContext cli)
    {
        var command = new Command("init", "Print a request file to start from: assay init > request.json");
        command.SetAction(async (_, cancellationToken) =>
        {
            await cli.Out.WriteAsync((await ReadExampleAsync(cancellationToken)).AsMemory(), cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task<string> ReadExampleAsync(CancellationToken cancellationToken)
    {
        await using var stream = typeof(InitCommand).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The program was built without its resource {Resource}. Build it again.");
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
