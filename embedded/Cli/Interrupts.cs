using System.Runtime.InteropServices;

namespace Assay.Embedded.Cli;

/// <summary>
/// Ctrl+C (and a polite kill) once asks a command to end well; twice ends the process at once. What was paid is in the ledger either way.
/// </summary>
sealed class Interrupts : IDisposable
{
    readonly CancellationTokenSource first = new();
    readonly List<PosixSignalRegistration> registrations = [];
    int count;

    public Interrupts(CliContext cli, string onFirst, int exitCodeOfSecond)
    {
        void Handle(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref count) == 1)
            {
                cli.Error.WriteLine($"assay: {onFirst}");
                first.Cancel();
            }
            else
                Environment.Exit(exitCodeOfSecond);
        }

        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle));
        if (!OperatingSystem.IsWindows())
            registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle));
    }

    /// <summary>Cancelled by the first interrupt.</summary>
    public CancellationToken Token => first.Token;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        first.Dispose();
    }
}
