namespace Assay.Embedded.Cli;

/// <summary>Where a command runs and speaks: results to <see cref="Out"/>, everything else to <see cref="Error"/>; paths are relative to <see cref="Folder"/>.</summary>
sealed record CliContext(TextWriter Out, TextWriter Error, string Folder, TimeProvider Time)
{
    public static CliContext OfProcess() => new(Console.Out, Console.Error, Environment.CurrentDirectory, TimeProvider.System);

    /// <summary>Tells something that is neither result nor error.</summary>
    public Task NoteAsync(string text) => Error.WriteLineAsync($"assay: {text}");
}
