using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Assay.TestServers;

/// <summary>A child process that belongs to the tests: its log is kept, it is killed by process id, at the latest when the test process exits.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const int LogLines = 200;
    private const int AllLines = 20_000;
    private static readonly ConcurrentDictionary<int, Process> Running = new();
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ConcurrentQueue<string> _all = new();
    private TextWriter? _logFile;

    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var process in Running.Values)
            KillTree(process);
    };

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;

    /// <summary>What it ended with; it must have ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The last lines it wrote to its output and error streams.</summary>
    public string LogTail => string.Join('\n', _log);

    /// <summary>Everything it wrote, up to 20,000 lines.</summary>
    public IReadOnlyCollection<string> Log => _all;

    /// <summary>Whether it wrote this, among its first lines or its last.</summary>
    public bool Said(string words) => _all.Any(line => line.Contains(words, StringComparison.Ordinal)) || _log.Any(line => line.Contains(words, StringComparison.Ordinal));

    /// <summary>Starts a program without a shell.</summary>
    /// <param name="logFile">A file to which every line is appended, where the last lines in memory are not enough.</param>
    public static ServerProcess Start(string file, IEnumerable<string> arguments, string workingDirectory, IReadOnlyDictionary<string, string>? environment = null, string? logFile = null)
    {
        if (!Path.IsPathRooted(file) && !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(directory => File.Exists(Path.Combine(directory, file))))
            throw new System.ComponentModel.Win32Exception(2, $"The program '{file}' is not in PATH.");

        // A session of its own, so that its guard can end it with everything it started.
        var info = new ProcessStartInfo("setsid", [file, .. arguments])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            info.Environment[key] = value;

        var process = new Process { StartInfo = info };
        var server = new ServerProcess(process);
        if (logFile is not null)
            server._logFile = TextWriter.Synchronized(new StreamWriter(new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true });
        process.OutputDataReceived += server.Keep;
        process.ErrorDataReceived += server.Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Running[process.Id] = process;
        Guard(process.Id, workingDirectory);
        return server;
    }

    /// <summary>
    /// Test runners kill their host a moment after the last test, before its exit handlers are done: a shell outlives it, ends the
    /// server's process group and removes its folder. A parent's-death signal would not do: it comes when the thread that started the server
    /// ends, and that is one of a pool.
    /// </summary>
    private static void Guard(int server, string workingDirectory) => Outlive("""
        while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done
        kill -0 "$1" 2>/dev/null && exit
        kill -9 "-$2" 2>/dev/null
        sleep 1
        case "$3" in */assay-tests/*) umount -l "$3/disk" 2>/dev/null; rm -rf "$3" ;; esac
        """, $"{server}", workingDirectory);

    /// <summary>Removes a folder once this process is gone.</summary>
    internal static void RemoveAfterwards(string folder) => Outlive("""
        while kill -0 "$1" 2>/dev/null; do sleep 1; done
        case "$2" in */assay-tests/*) rm -rf "$2" ;; esac
        """, folder);

    /// <summary>A shell that is no child to be ended with this process; its first argument is this process's id.</summary>
    private static void Outlive(string script, params string[] arguments)
    {
        using var guard = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", script, "guard", $"{Environment.ProcessId}", .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        });
    }

    /// <summary>Runs a short command to its end; its exit code must be 0.</summary>
    public static async Task RunAsync(string file, IEnumerable<string> arguments, string workingDirectory, TimeSpan limit)
    {
        var list = arguments.ToList();
        await using var command = Start(file, list, workingDirectory);
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await command._process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException passed)
        {
            throw new TimeoutException($"'{file} {string.Join(' ', list)}' did not end within {limit}. Its output:\n{command.LogTail}", passed);
        }

        if (command._process.ExitCode != 0)
            throw new InvalidOperationException($"'{file} {string.Join(' ', list)}' ended with {command._process.ExitCode}. Its output:\n{command.LogTail}");
    }

    /// <summary>Polls until <paramref name="isReady"/> answers true; a dead process or a passed limit throws with the log's tail.</summary>
    public async Task WaitUntilAsync(string what, Func<CancellationToken, Task<bool>> isReady, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{what} ended with {_process.ExitCode} before it was ready. The end of its log:\n{LogTail}");
            using var attempt = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            if (await isReady(attempt.Token))
                return;
            if (clock.Elapsed > limit)
                throw new TimeoutException($"{what} was not ready after {limit}. The end of its log:\n{LogTail}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until the process has written a line that contains the text.</summary>
    public Task WaitForLineAsync(string text, TimeSpan limit) =>
        WaitUntilAsync($"The process that should write '{text}'", _ => Task.FromResult(_all.Any(line => line.Contains(text, StringComparison.Ordinal))), limit);

    /// <summary>SIGKILL to the process and everything it started; returns once it is gone.</summary>
    public async Task KillAsync()
    {
        KillTree(_process);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await _process.WaitForExitAsync(limit.Token);
        Running.TryRemove(_process.Id, out _);
    }

    /// <summary>Sends a signal to the process alone: 19 freezes it, 18 lets it go on, 2 and 15 ask it to stop.</summary>
    public void Signal(int signal) => Signal(_process.Id, signal);

    /// <summary>The same, to a process that this one started.</summary>
    public static void Signal(int id, int signal)
    {
        if (NativeMethods.Kill(id, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} could not be sent to process {id} (errno {Marshal.GetLastPInvokeError()}).");
    }

    /// <summary>Ends when it has ended and its last words are in the log.</summary>
    public Task EndedAsync() => _process.WaitForExitAsync();

    /// <summary>Waits for its end, and for the end of what it writes.</summary>
    public async Task WaitForExitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        await _process.WaitForExitAsync(timeout.Token);
        Running.TryRemove(_process.Id, out _);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private static void KillTree(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended between the question and the signal: that is what was wanted.
        }
    }

    private void Keep(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is null)
            return;
        _log.Enqueue(e.Data);
        if (_all.Count < AllLines)
            _all.Enqueue(e.Data);
        _logFile?.WriteLine(e.Data);
        while (_log.Count > LogLines)
            _log.TryDequeue(out _);
    }
}

internal static partial class NativeMethods
{
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial uint EffectiveUserId();
}

/// <summary>Ports on 127.0.0.1.</summary>
public static class Loopback
{
    // Below what systems give to outgoing connections: one of those would take a port before its server, or while its server is being restarted.
    private const int LowestPort = 15_000, HighestPort = 32_000;

    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>A port that nothing listens on, given once in this process.</summary>
    /// <exception cref="InvalidOperationException">None was found in a thousand.</exception>
    public static int FreePort()
    {
        for (var tried = 0; tried < 1000; tried++)
        {
            var port = Random.Shared.Next(LowestPort, HighestPort);
            if (!Given.TryAdd(port, true))
                continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody's; another one is tried.
            }
        }

        throw new InvalidOperationException($"None of 1000 ports of 127.0.0.1 between {LowestPort} and {HighestPort} is free.");
    }

    /// <summary>Whether something takes connections there.</summary>
    public static async Task<bool> AcceptsAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>Files that a test leaves behind when it ends, a database for example: they go when this process is gone.</summary>
public static class TemporaryFiles
{
    private static readonly Lazy<string> Folder = new(() =>
    {
        var folder = Workplace.Create("files");
        ServerProcess.RemoveAfterwards(folder);
        return folder;
    });

    /// <summary>A path in a fresh folder, at which there is nothing yet.</summary>
    public static string NewPath(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Folder.Value, $"{Guid.NewGuid():N}")).FullName, name);
}

internal static class Workplace
{
    /// <summary>A fresh directory in the temporary folder that other users may enter (PostgreSQL refuses to run as root).</summary>
    public static string Create(string name)
    {
        var path = Path.Combine(Path.GetTempPath(), "assay-tests", $"{name}-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode everyone = (UnixFileMode)0b111_111_111;
            File.SetUnixFileMode(path, everyone);
        }

        return path;
    }

    public static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Already gone.
        }
        catch (IOException)
        {
            // A dying server may still write a last file; the temporary folder is cleaned by its owner.
        }
    }
}
