using System.Globalization;
using Assay.Embedded.Api;
using Assay.Embedded.Cli;
using Assay.Embedded.DataDirectories;
using Serilog.Events;

namespace Assay.Embedded.Host;

/// <summary>The system a command talks to: one elsewhere, the process that holds the data directory, or one started in this process for the command's life.</summary>
sealed class AssaySystem : IAsyncDisposable
{
    static readonly TimeSpan OwnerMayTakeToListen = TimeSpan.FromSeconds(30);

    readonly EmbeddedHost? own;

    AssaySystem(AssayApi api, SystemChoice choice, EmbeddedHost? own)
    {
        Api = api;
        Choice = choice;
        this.own = own;
    }

    public AssayApi Api { get; }

    public SystemChoice Choice { get; }

    /// <summary>Whether it lives in this process and ends with the command.</summary>
    public bool IsOwn => own is not null;

    /// <summary>Whether it is a system elsewhere, which outlives this machine's processes.</summary>
    public bool IsRemote => Choice.Url is not null;

    /// <exception cref="CommandError">The system cannot be reached or started.</exception>
    public static async Task<AssaySystem> ConnectAsync(CliContext cli, SystemChoice choice, string command, CancellationToken cancellationToken)
    {
        if (choice.Url is { } url)
            return new AssaySystem(new AssayApi(url, choice.Key), choice, null);

        var giveUpAt = cli.Time.GetUtcNow() + OwnerMayTakeToListen;
        while (true)
        {
            if (await DataDirectory.TryTakeAsync(choice.DataPath, command, cli.Time, cancellationToken) is { } directory)
                return await StartAsync(choice, directory, command, cancellationToken);

            // Another process holds it. It tells its address as soon as it listens; it may also end while we look.
            if (await DataDirectory.ReadOwnerAsync(choice.DataPath, cancellationToken) is { Url: { } address } owner)
            {
                if (choice.Engines.Count > 0)
                    throw CommandError.BadInput($"--engine cannot change the running process {owner.ProcessId} ({owner.Command}) that holds {choice.DataPath}.", "Stop it first, or use another folder with --data DIR.");
                var api = new AssayApi(new Uri(address), choice.Key ?? await DataDirectory.ReadKeyAsync(choice.DataPath, cancellationToken));
                if (await AnswersAsync(api, cancellationToken))
                    return new AssaySystem(api, choice, null);
                api.Dispose();
            }

            if (cli.Time.GetUtcNow() > giveUpAt)
                throw await InUseAsync(choice.DataPath, "and does not answer", cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(100), cli.Time, cancellationToken);
        }
    }

    /// <summary>Why a directory cannot be had, with the address of the process that holds it.</summary>
    public static async Task<CommandError> InUseAsync(string path, string how, CancellationToken cancellationToken)
    {
        var owner = await DataDirectory.ReadOwnerAsync(path, cancellationToken);
        var who = owner is null
            ? "another process"
            : string.Create(CultureInfo.InvariantCulture, $"process {owner.ProcessId} ({owner.Command}{(owner.Url is null ? "" : " at " + owner.Url.TrimEnd('/'))})");
        return CommandError.BadInput($"The data directory {path} is in use by {who} {how}.".Replace(" .", ".", StringComparison.Ordinal), "Stop that process, or use another folder with --data DIR.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (own is not null)
            await own.DisposeAsync();
    }

    /// <summary>Access keys are made inside the process that holds them.</summary>
    public EmbeddedHost? Own => own;

    static async Task<AssaySystem> StartAsync(SystemChoice choice, DataDirectory directory, string command, CancellationToken cancellationToken)
    {
        try
        {
            var host = await EmbeddedHost.StartAsync(directory, "http://127.0.0.1:0", choice.Engines, LogEventLevel.Error, command, cancellationToken);
            return new AssaySystem(new AssayApi(host.Address, await DataDirectory.ReadKeyAsync(choice.DataPath, cancellationToken)), choice, host);
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }
    }

    static async Task<bool> AnswersAsync(AssayApi api, CancellationToken cancellationToken)
    {
        try
        {
            await api.ReadyAsync(cancellationToken);
            return true;
        }
        catch (UnreachableError)
        {
            return false;
        }
    }
}
