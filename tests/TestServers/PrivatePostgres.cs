using System.Globalization;
using Npgsql;

namespace Assay.TestServers;

/// <summary>A PostgreSQL server of our own: an empty cluster in the temporary folder, a free loopback port, stopped by process id.</summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private static readonly Lazy<Task<PrivatePostgres>> SharedServer = new(() => StartAsync());
    private readonly string _binaries;
    private readonly string _workplace;
    private readonly bool _fsync;
    private readonly int? _diskMegabytes;
    private readonly bool _countStatements;
    private readonly bool _tls;
    private ServerProcess? _server;

    private PrivatePostgres(string binaries, string workplace, int port, bool fsync, int? diskMegabytes, bool countStatements, bool tls)
    {
        _countStatements = countStatements;
        _tls = tls;
        _diskMegabytes = diskMegabytes;
        _binaries = binaries;
        _workplace = workplace;
        Port = port;
        _fsync = fsync;
    }

    /// <summary>One server for the whole test process, started by whoever asks first and killed when the process exits.</summary>
    public static Task<PrivatePostgres> Shared => SharedServer.Value;

    /// <summary>Where its data is; every process that belongs to it, or its guard, names this folder in its command line.</summary>
    public string Folder => _workplace;

    public int Port { get; }

    /// <summary>Connects to the maintenance database as the superuser.</summary>
    public string AdminConnectionString => ConnectionStringFor("postgres");

    /// <summary>Creates the cluster and starts the server.</summary>
    /// <param name="fsync">Off by default: tests kill the server, not the machine. On where commits are measured.</param>
    /// <param name="diskMegabytes">The size of a disk of its own in memory (mounted, which needs root), so that it can be filled.</param>
    /// <param name="countStatements">Loads <c>pg_stat_statements</c>; its view still needs CREATE EXTENSION in the database it is read from.</param>
    /// <param name="certificates">A folder with <c>server.pem</c> and <c>server.key</c>, with which it also takes encrypted connections; null for none.</param>
    /// <param name="locale">In whose order its databases keep text unless they are made otherwise; <c>C</c> is the order of its bytes, as in the compose file's databases.</param>
    public static async Task<PrivatePostgres> StartAsync(bool fsync = false, int? diskMegabytes = null, bool countStatements = false, string? certificates = null, string locale = "C")
    {
        var binaries = FindBinaries();
        var workplace = Workplace.Create("postgres");
        var postgres = new PrivatePostgres(binaries, workplace, Loopback.FreePort(), fsync, diskMegabytes, countStatements, certificates is not null);
        if (diskMegabytes is { } size)
            await postgres.MountDiskAsync(size);
        var (file, arguments) = postgres.AsUser(Path.Combine(binaries, "initdb"),
            ["-D", postgres.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", $"--locale={locale}", "--no-sync", "--no-instructions"]);
        await ServerProcess.RunAsync(file, arguments, workplace, TimeSpan.FromSeconds(60));
        if (certificates is not null)
            await postgres.TakeCertificatesAsync(certificates);
        await postgres.StartServerAsync();
        return postgres;
    }

    /// <summary>Creates an empty database and returns its connection string; a name already taken gets a suffix.</summary>
    public async Task<string> CreateDatabaseAsync(string name)
    {
        var unique = $"{name}_{Guid.NewGuid():N}"[..Math.Min(60, name.Length + 9)];
        await using var connection = new NpgsqlConnection(AdminConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE \"{unique}\"";
        await command.ExecuteNonQueryAsync();
        return ConnectionStringFor(unique);
    }

    /// <remarks>Every test's database has its pool, and a shared server would keep their idle connections for five minutes: until there were none left for the next.</remarks>
    public string ConnectionStringFor(string database) =>
        $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Timeout=5;Command Timeout=30;Connection Idle Lifetime=10;Connection Pruning Interval=5;Include Error Detail=true";

    /// <summary>SIGKILL to the server and its sessions, as a power cut of the process.</summary>
    public Task KillAsync() => Server.KillAsync();

    /// <summary>Leaves no byte free on the disk of its own.</summary>
    public async Task FillDiskAsync()
    {
        await using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var chunk = new byte[64 * 1024];
        try
        {
            while (true)
                await filler.WriteAsync(chunk);
        }
        catch (IOException)
        {
            // The disk is full: that is what was wanted.
        }
    }

    /// <summary>Gives the space back, and starts the server again if it ended for want of it.</summary>
    public async Task FreeDiskAsync()
    {
        File.Delete(Filler);
        for (var tries = 0; !await IsAcceptingAsync(CancellationToken.None); tries++)
        {
            if (tries > 100)
                throw new TimeoutException($"PostgreSQL does not accept connections 10 s after its disk had room again. The end of its log:\n{Server.LogTail}");
            if (Server.HasExited)
                await StartServerAsync();
            await Task.Delay(100);
        }
    }

    /// <summary>What the server has used of the processors: itself, its sessions, and those that have ended.</summary>
    public TimeSpan ProcessorTime()
    {
        var server = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id) || ProcessStat(id) is not { } stat || (id != server && stat[1] != server))
                continue;
            // Fields of proc(5), counted from its state: the parent is the second; own and then waited-for times are the twelfth to fifteenth.
            ticks += stat[11] + stat[12] + (id == server ? stat[13] + stat[14] : 0);
        }

        return TimeSpan.FromMilliseconds(10 * ticks);
    }

    private static long[]? ProcessStat(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return [.. stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Select(field => long.TryParse(field, out var number) ? number : 0)];
        }
        catch (IOException)
        {
            // It has ended.
            return null;
        }
    }

    /// <summary>A fast shutdown: sessions are ended, data is flushed.</summary>
    public async Task StopAsync()
    {
        Server.Signal(2);
        await Server.WaitForExitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Freezes (SIGSTOP) only the postmaster; sessions that exist go on.</summary>
    public void Pause() => Server.Signal(19);

    public void Resume() => Server.Signal(18);

    /// <summary>Starts the server again on the same port and data after <see cref="KillAsync"/> or <see cref="StopAsync"/>.</summary>
    public async Task StartServerAsync()
    {
        var (file, arguments) = AsUser(Path.Combine(_binaries, "postgres"),
        [
            "-D", Data, "-c", $"port={Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", $"fsync={(_fsync ? "on" : "off")}", "-c", $"full_page_writes={(_fsync ? "on" : "off")}",
            "-c", $"max_wal_size={(_diskMegabytes is null ? 1024 : 128)}MB", "-c", "max_connections=300", "-c", "shared_buffers=128MB", "-c", "timezone=UTC", "-c", "log_timezone=UTC",
            .. _countStatements ? ["-c", "shared_preload_libraries=pg_stat_statements"] : Array.Empty<string>(),
            .. _tls ? ["-c", "ssl=on", "-c", "ssl_cert_file=server.pem", "-c", "ssl_key_file=server.key"] : Array.Empty<string>(),
        ]);
        _server = ServerProcess.Start(file, arguments, _workplace);
        await _server.WaitUntilAsync("PostgreSQL", IsAcceptingAsync, TimeSpan.FromSeconds(60));
    }

    private async Task<bool> IsAcceptingAsync(CancellationToken stop)
    {
        try
        {
            await using var connection = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
            await connection.OpenAsync(stop);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null)
            await _server.DisposeAsync();
        if (_diskMegabytes is not null)
            await ServerProcess.RunAsync("umount", ["-l", Disk], Path.GetTempPath(), TimeSpan.FromSeconds(20));
        Workplace.Remove(_workplace);
    }

    private async Task MountDiskAsync(int megabytes)
    {
        Directory.CreateDirectory(Disk);
        await ServerProcess.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m,mode=0777", "tmpfs", Disk], _workplace, TimeSpan.FromSeconds(20));
    }

    /// <summary>The server reads its key only if nobody else can.</summary>
    private async Task TakeCertificatesAsync(string folder)
    {
        foreach (var name in new[] { "server.pem", "server.key" })
            await ServerProcess.RunAsync("install", ["-m", "600", .. NativeMethods.EffectiveUserId() == 0 ? (string[])["-o", "nobody", "-g", "nogroup"] : [], Path.Combine(folder, name), Path.Combine(Data, name)], _workplace, TimeSpan.FromSeconds(20));
    }

    private string Disk => Path.Combine(_workplace, "disk");

    private string Filler => Path.Combine(Disk, "filler");

    private ServerProcess Server => _server ?? throw new InvalidOperationException("PostgreSQL has not been started.");

    private string Data => Path.Combine(_diskMegabytes is null ? _workplace : Disk, "data");

    // PostgreSQL refuses to run as root; the cluster then belongs to nobody.
    private (string File, IReadOnlyList<string> Arguments) AsUser(string file, IReadOnlyList<string> arguments) =>
        NativeMethods.EffectiveUserId() == 0
            ? ("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", file, .. arguments])
            : (file, arguments);

    private static string FindBinaries()
    {
        const string debian = "/usr/lib/postgresql";
        var candidates = (Directory.Exists(debian) ? Directory.GetDirectories(debian).OrderDescending(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")) : [])
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator));
        return candidates.FirstOrDefault(directory => File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres")))
            ?? throw new ServerMissingException("PostgreSQL (initdb, postgres)", "postgresql", $"{debian}/*/bin and PATH");
    }
}
