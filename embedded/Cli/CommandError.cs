namespace Assay.Embedded.Cli;

/// <summary>What the process answers to its caller; fixed, scripts rely on it.</summary>
public static class ExitCodes
{
    /// <summary>Completed, or answered from a result that exists.</summary>
    public const int Done = 0;

    /// <summary>Refused, or the command line or file is not usable.</summary>
    public const int BadInput = 2;

    /// <summary>The audit failed, or the command could not do its work.</summary>
    public const int Failed = 3;

    /// <summary>The audit was cancelled.</summary>
    public const int Cancelled = 4;
}

/// <summary>A command cannot go on, for a reason its caller can act on. The message says what was attempted and why; <see cref="Fix"/> what to do.</summary>
public class CommandError(int exitCode, string message, string? fix = null, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The exit code of the process.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>What to do next, if the message does not say so already.</summary>
    public string? Fix { get; } = fix;

    /// <summary>The caller's input is not usable.</summary>
    public static CommandError BadInput(string message, string? fix = null, Exception? cause = null) => new(ExitCodes.BadInput, message, fix, cause);

    /// <summary>The input is fine, the work could not be done.</summary>
    public static CommandError Failed(string message, string? fix = null, Exception? cause = null) => new(ExitCodes.Failed, message, fix, cause);

    /// <summary>Message and fix as one line.</summary>
    public string Text => Fix is null ? Message : $"{Message} {Fix}";
}
