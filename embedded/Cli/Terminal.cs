using Spectre.Console;

namespace Assay.Embedded.Cli;

/// <summary>Tables on the command's own writer.</summary>
static class Terminal
{
    /// <summary>The real terminal if there is one; else plain text of a given width, so that a redirected table is not cut to a guessed one.</summary>
    public static IAnsiConsole For(CliContext cli, int width)
    {
        if (!Console.IsOutputRedirected && ReferenceEquals(cli.Out, Console.Out))
            return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(cli.Out) });
        console.Profile.Width = width;
        return console;
    }
}
