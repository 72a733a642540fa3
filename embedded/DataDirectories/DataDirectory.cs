using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Embedded.Cli;

namespace Assay.Embedded.DataDirectories;

/// <summary>The process that holds a data directory, as it told beside the lock. <see cref="Url"/> is null until it listens.</summary>
public sealed record DirectoryOwner(int ProcessId, string? Url, string Command, DateTime StartedAt);

/// <summary>
/// A folder with one SQLite file per service, held by one process at a time. The operating system keeps the lock, so that a killed
/// process leaves nothing behind; the owner's address and access key lie beside it for the commands that want to talk to it.
/// </summary>
public sealed class DataDirectory : IAsyncDisposable
{
    /// <summary>Where data goes unless told otherwise, in the caller's folder.</summary>
    public const string DefaultName = ".assay";

    const string LockFile = "assay.lock", OwnerFile = "assay.owner.json", KeyFileName = "assay.key";
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly FileStream held;
    readonly TimeProvider time;

    DataDirectory(string path, FileStream held, TimeProvider time)
    {
        FullPath = path;
        this.held = held;
        this.time = time;
    }

    /// <summary>Absolute path of the folder.</summary>
    public string FullPath { get; }

    /// <summary>File that holds the access key of this directory's operator; readable by its owner only.</summary>
    public string KeyFile => Path.Combine(FullPath, KeyFileName);

    /// <summary>The folder that log files go to.</summary>
    public string LogFolder => Path.Combine(FullPath, "logs");

    /// <summary>Absolute path of the directory a command means: the option, else <c>ASSAY_DATA</c>, else <c>.assay</c>; relative to the caller's folder.</summary>
    public static string Resolve(string? option, string folder)
    {
        var chosen = string.IsNullOrWhiteSpace(option) ? Environment.GetEnvironmentVariable("ASSAY_DATA") : option;
        return Path.GetFullPath(string.IsNullOrWhiteSpace(chosen) ? DefaultName : chosen, folder);
    }

    /// <summary>Takes the directory for this process, creating it if needed; null while another process holds it.</summary>
    /// <exception cref="CommandError">The folder cannot be created or written.</exception>
    public static async Task<DataDirectory?> TryTakeAsync(string path, string command, TimeProvider time, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(path);
            else
                Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
            file = new FileStream(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsSharingViolation(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }

        var directory = new DataDirectory(path, file, time);
        try
        {
            await directory.TellAsync(null, command, cancellationToken);
            await directory.EnsureKeyAsync(cancellationToken);
            return directory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await file.DisposeAsync();
            throw Unwritable(path, e);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the process that holds the directory told of itself; null if nothing readable lies there.</summary>
    public static async Task<DirectoryOwner?> ReadOwnerAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(Path.Combine(path, OwnerFile), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return await JsonSerializer.DeserializeAsync<DirectoryOwner>(file, AssayJson.Options, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The access key that lies in a directory; null if there is none.</summary>
    public static async Task<string?> ReadKeyAsync(string path, CancellationToken cancellationToken)
    {
        var file = Path.Combine(path, KeyFileName);
        try
        {
            return File.Exists(file) ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw CommandError.BadInput($"The access key {file} belongs to another user.", "Run the command as that user, or give --url and --key.", e);
        }
    }

    /// <summary>Tells other processes where this one listens.</summary>
    public Task TellAsync(string? url, string command, CancellationToken cancellationToken) =>
        WriteOwnerOnlyAsync(OwnerFile, JsonSerializer.Serialize(new DirectoryOwner(Environment.ProcessId, url, command, time.GetUtcNow().UtcDateTime), AssayJson.Options), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        File.Delete(Path.Combine(FullPath, OwnerFile));
        await held.DisposeAsync();
    }

    async Task EnsureKeyAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(KeyFile) && new FileInfo(KeyFile).Length > 0)
            return;
        var key = "assay_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        await WriteOwnerOnlyAsync(KeyFileName, key + "\n", cancellationToken);
    }

    /// <summary>Replaces a file in one step: a reader sees the old text or the new one, never half of it, and nobody else's eyes see either.</summary>
    async Task WriteOwnerOnlyAsync(string name, string text, CancellationToken cancellationToken)
    {
        var target = Path.Combine(FullPath, name);
        var draft = target + string.Create(CultureInfo.InvariantCulture, $".{Environment.ProcessId}");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        await using (var writer = new StreamWriter(draft, options))
            await writer.WriteAsync(text.AsMemory(), cancellationToken);
        File.Move(draft, target, overwrite: true);
    }

    /// <summary>Windows says so by code; on Unix the runtime turns a refused flock into the same exception with EWOULDBLOCK (11 on Linux, 35 on macOS).</summary>
    static bool IsSharingViolation(IOException e) =>
        e.GetType() == typeof(IOException) && (OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) is 32 or 33 : e.HResult is 11 or 35);

    static CommandError Unwritable(string path, Exception e) =>
        CommandError.BadInput($"The data directory {path} cannot be written: {e.Message}", "Choose another with --data DIR or the setting ASSAY_DATA.", e);
}
