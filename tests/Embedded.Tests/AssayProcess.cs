using System.Diagnostics;

namespace Assay.Embedded.Tests;

/// <summary>The built program as a person calls it: a process of its own, in a folder of the test's own.</summary>
sealed class AssayProcess : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    readonly Process process;
    readonly TaskCompletionSource<string> firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly List<string> output = [], error = [];

    AssayProcess(Process process) => this.process = process;

    public sealed record Result(int ExitCode, string Output, string Error)
    {
        public override string ToString() => $"exit {ExitCode}\n--- stdout\n{Output}\n--- stderr\n{Error}";
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<Result> RunAsync(string folder, params string[] arguments)
    {
        await using var started = Start(folder, arguments);
        return await started.EndAsync();
    }

    public static AssayProcess Start(string folder, params string[] arguments) => Start(folder, new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    public static AssayProcess Start(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Program);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in new[] { "ASSAY_DATA", "ASSAY_URL", "ASSAY_KEY" })
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var started = new AssayProcess(new Process { StartInfo = start });
        started.process.OutputDataReceived += (_, line) => started.Take(started.output, line.Data);
        started.process.ErrorDataReceived += (_, line) => started.Take(started.error, line.Data);
        started.process.Start();
        started.process.StandardInput.Close();
        started.process.BeginOutputReadLine();
        started.process.BeginErrorReadLine();
        return started;
    }

    public int Id => process.Id;

    /// <summary>The first line of standard output; fails with everything the process said if it ends without one.</summary>
    public async Task<string> FirstLineAsync()
    {
        var ended = process.WaitForExitAsync();
        if (await Task.WhenAny(firstLine.Task, ended).WaitAsync(Patience) == ended && !firstLine.Task.IsCompleted)
            throw new InvalidOperationException($"The process ended without a line: {await EndAsync()}");
        return await firstLine.Task;
    }

    public async Task<Result> EndAsync()
    {
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', process.StartInfo.ArgumentList.Skip(1))} did not end within {Patience}:\n{string.Join('\n', error)}", e);
        }

        lock (output)
            lock (error)
                return new Result(process.ExitCode, string.Join('\n', output), string.Join('\n', error));
    }

    public void Kill() => process.Kill();

    /// <summary>Takes the path of Ctrl+C, by SIGTERM: a process tree started in the background of a shell inherits SIGINT as ignored.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString()]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    /// <summary>The embedded project's own output: only there the settings beside the program are its own.</summary>
    static string Program
    {
        get
        {
            var own = new DirectoryInfo(AppContext.BaseDirectory);
            return Path.Combine(Repository.Root, "embedded", "bin", own.Parent!.Name, own.Name, "assay.dll");
        }
    }

    void Take(List<string> lines, string? line)
    {
        if (line is null)
            return;
        lock (lines)
            lines.Add(line);
        if (ReferenceEquals(lines, output))
            firstLine.TrySetResult(line);
    }
}
