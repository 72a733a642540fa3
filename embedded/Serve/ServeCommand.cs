using System.CommandLine;
using Assay.Dashboard.Access;
using Assay.Embedded.Audits;
using Assay.Embedded.Cli;
using Assay.Embedded.DataDirectories;
using Assay.Embedded.Host;
using Serilog.Events;

namespace Assay.Embedded.Serve;

/// <summary><c>assay serve</c>: runs the whole system in this process until it is told to stop.</summary>
static class ServeCommand
{
    const string DefaultUrl = "http://127.0.0.1:5080";

    /// <summary>Makes a command (the root, or <c>serve</c>) serve.</summary>
    public static void Configure(Command command, CliContext cli, SystemOptions target)
    {
        var urls = new Option<string>("--urls") { Description = "Addresses to listen on, separated by ;", DefaultValueFactory = _ => DefaultUrl, HelpName = "URL" };
        var engine = AuditCommand.EngineOption();
        command.Options.Add(urls);
        command.Options.Add(engine);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var listen = Check(parsed.GetValue(urls)!);
            var choice = target.Read(parsed, cli, AuditCommand.ReadEngines(parsed, engine, cli));
            if (choice.Url is not null)
                throw CommandError.BadInput("serve runs a system here; --url names one elsewhere.", "Leave --url (and ASSAY_URL) away.");
            using var interrupts = new Interrupts(cli, "stopping: calls on the wire are finished and recorded; Ctrl+C again ends at once.", ExitCodes.Done);
            await using var host = await StartAsync(cli, choice, listen, cancellationToken);
            var link = await host.Services.GetRequiredService<ILoginLinks>().CreateAsync("operator", "serve", cancellationToken);
            await cli.Out.WriteLineAsync(new Uri(host.Address, link).AbsoluteUri);
            await cli.Out.FlushAsync(cancellationToken);
            await cli.NoteAsync($"serving {choice.DataPath}; the link above signs in once. Ctrl+C stops.");
            await WaitAsync(interrupts.Token);
            return ExitCodes.Done;
        });
    }

    static async Task<EmbeddedHost> StartAsync(CliContext cli, SystemChoice choice, string urls, CancellationToken cancellationToken)
    {
        var directory = await DataDirectory.TryTakeAsync(choice.DataPath, "serve", cli.Time, cancellationToken)
            ?? throw await AssaySystem.InUseAsync(choice.DataPath, "", cancellationToken);
        try
        {
            return await EmbeddedHost.StartAsync(directory, urls, choice.Engines, LogEventLevel.Warning, "serve", cancellationToken);
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }
    }

    static string Check(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).DefaultIfEmpty(""))
        {
            // Kestrel's own wildcards are no host names.
            var plain = url.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal);
            if (!Uri.TryCreate(plain, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                throw CommandError.BadInput($"--urls '{url}' is not an http(s) address.", $"For example --urls {DefaultUrl}.");
        }

        return urls;
    }

    static async Task WaitAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.Register(stopped.SetResult))
            await stopped.Task;
    }
}
