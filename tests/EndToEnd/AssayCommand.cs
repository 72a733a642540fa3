using System.Diagnostics;
using Assay.TestServers;

namespace Assay.EndToEnd;

/// <summary>The command line as a user runs it: the built program, in a folder of its own.</summary>
sealed class AssayCommand : IDisposable
{
    public AssayCommand()
    {
        Folder = Directory.CreateTempSubdirectory("assay-e2e-").FullName;
    }

    public string Folder { get; }

    public async Task<CommandResult> RunAsync(string[] arguments, IReadOnlyDictionary<string, string>? settings = null, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[key] = value;

        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(5));
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
            return new CommandResult(process.ExitCode, await output, await error, clock.Elapsed);
        }
        catch (OperationCanceledException passed)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"assay {string.Join(' ', arguments)} did not end within its limit.", passed);
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (IOException)
        {
            // A file may still be closing; the temporary folder is cleaned by its owner.
        }
    }

    static string Program
    {
        get
        {
            var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
            return Path.Combine(SharedFolder.RepositoryRoot, "embedded", "bin", configuration, "net10.0", "assay.dll");
        }
    }
}

sealed record CommandResult(int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    public override string ToString() => $"exit code {ExitCode} after {Elapsed}\n--- output\n{Output}\n--- error\n{Error}";
}
