using System.Net;
using System.Net.Sockets;
using Assay.Analyzer;
using Assay.AuditSaga;
using Assay.Dashboard;
using Assay.Dashboard.Access;
using Assay.Embedded.Cli;
using Assay.Embedded.DataDirectories;
using Assay.Embedded.Engines;
using Assay.LlmGateway;
using Assay.ServiceDefaults;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Serilog.Events;

namespace Assay.Embedded.Host;

/// <summary>
/// The whole system in this process: the four modules, the in-memory bus, one SQLite file per service in a data directory that this
/// process holds.
/// </summary>
sealed class EmbeddedHost : IAsyncDisposable
{
    readonly WebApplication app;
    readonly DataDirectory directory;

    EmbeddedHost(WebApplication app, DataDirectory directory, Uri address)
    {
        this.app = app;
        this.directory = directory;
        Address = address;
    }

    /// <summary>Where it listens; a loopback address even if it listens on all.</summary>
    public Uri Address { get; }

    public IServiceProvider Services => app.Services;

    /// <summary>Starts the system in a directory that this process holds; the host gives it back when it is disposed of.</summary>
    /// <exception cref="CommandError">A port is in use, a setting is wrong, or the data was written by a newer version.</exception>
    public static async Task<EmbeddedHost> StartAsync(DataDirectory directory, string urls, IReadOnlyList<EngineOverride> engines, LogEventLevel consoleLevel, string command, CancellationToken cancellationToken)
    {
        AssayHost.UseInvariantCulture();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            // Settings and pages lie beside the program, whatever folder it is called in.
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(EmbeddedHost).Assembly.GetName().Name,
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Configuration.AddInMemoryCollection(engines.SelectMany(e => e.Settings));
        // The in-memory bus forgets its messages with the process: what it left unfinished is failed before anything starts.
        builder.Configuration.AddInMemoryCollection([new("urls", urls), new("AuditSaga:FailUnfinishedAtStart", "true")]);
        builder.WebHost.UseStaticWebAssets();
        builder.AddAssayLogging(consoleLevel, Path.Combine(directory.LogFolder, "assay-.log"));

        AssayModule[] modules = [new AuditSagaModule(), new LlmGatewayModule(), new AnalyzerModule(), new DashboardModule()];
        foreach (var module in modules)
            module.AddServices(builder, AssayDatabase.Sqlite(Path.Combine(directory.FullPath, DatabaseFile(module.Name))));
        builder.AddAssayInMemoryBus(modules);
        builder.AddAssayHealth();
        builder.ListenFirst(modules);
        // The commands answer Ctrl+C themselves.
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.Services.AddHostedService<SmallHeap>();

        var built = builder.Build();
        try
        {
            built.MapAssayHealth();
            foreach (var module in modules)
                module.MapEndpoints(built);
            await built.StartAsync(cancellationToken);
            await built.Services.GetRequiredService<IKeyStore>().EnsureKeyAsync("operator", "embedded command line", await ReadKeyAsync(directory, cancellationToken), cancellationToken);
            var address = Reachable(built.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            await directory.TellAsync(address.ToString(), command, cancellationToken);
            return new EmbeddedHost(built, directory, address);
        }
        catch (Exception e)
        {
            await built.DisposeAsync();
            if (Explain(e, urls, directory) is { } error)
                throw error;
            throw;
        }
    }

    /// <summary>The file of one service's data, for example <c>audit-saga.db</c>.</summary>
    public static string DatabaseFile(string module) => string.Concat(module.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString())) + ".db";

    /// <summary>Ends well: nothing new is taken, calls on the wire are finished and recorded, the rest is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
        }
        finally
        {
            await directory.DisposeAsync();
        }
    }

    static async Task<string> ReadKeyAsync(DataDirectory directory, CancellationToken cancellationToken) =>
        await DataDirectory.ReadKeyAsync(directory.FullPath, cancellationToken) ?? throw CommandError.Failed($"The access key {directory.KeyFile} is gone.", "Start again; a new one is made.");

    static Uri Reachable(string listening)
    {
        var uri = new UriBuilder(listening.Replace("://*", "://127.0.0.1", StringComparison.Ordinal).Replace("://+", "://127.0.0.1", StringComparison.Ordinal));
        if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)))
            uri.Host = "127.0.0.1";
        return uri.Uri;
    }

    static CommandError? Explain(Exception e, string urls, DataDirectory directory)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case CommandError error:
                    return error;
                case SchemaTooNewException:
                    return CommandError.BadInput($"The data directory {directory.FullPath} was written by a newer version of Assay.", "Use that version, or another folder with --data DIR.", e);
                case SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } or Microsoft.AspNetCore.Connections.AddressInUseException:
                    return CommandError.BadInput($"Cannot listen on {urls}: the port is in use by another process.", "Choose another with --urls http://127.0.0.1:PORT.", e);
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return CommandError.BadInput($"Cannot listen on {urls}: this user may not use that port.", "Choose one above 1024 with --urls http://127.0.0.1:PORT.", e);
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return CommandError.BadInput($"Cannot listen on {urls}: this machine does not have that address.", "Choose another with --urls http://127.0.0.1:PORT.", e);
                case Microsoft.Extensions.Options.OptionsValidationException validation:
                    return CommandError.BadInput($"A setting is wrong: {string.Join(" ", validation.Failures)}", null, e);
                case Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 11 or 26 } sqlite:
                    return CommandError.Failed($"A database in {directory.FullPath} is damaged ({sqlite.Message}).", "`assay doctor --integrity` names the file; restore it from a backup, or start anew with --data DIR.", e);
                case Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 8 or 10 or 13 or 14 } sqlite:
                    return CommandError.BadInput($"The data directory {directory.FullPath} cannot be written: {sqlite.Message}", "Choose another with --data DIR.", e);
            }
        }

        return null;
    }

    /// <summary>No handlers of its own: the command that started the host decides when it ends.</summary>
    sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
