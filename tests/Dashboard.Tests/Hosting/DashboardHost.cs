using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Dashboard.Tests.Hosting;

/// <summary>A Dashboard on a loopback port, on SQLite and the in-memory bus, with its neighbours scripted. Speaks in intentions.</summary>
public sealed class DashboardHost : IAsyncLifetime
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    readonly string folder = Directory.CreateTempSubdirectory("assay-dashboard-").FullName;
    WebApplication? app;

    /// <summary>A real broker instead of the in-memory bus.</summary>
    public PrivateRabbitMq? Broker { get; init; }

    /// <summary>The connection string of a PostgreSQL database instead of a SQLite file.</summary>
    public string? Postgres { get; init; }

    /// <summary>Settings of the Dashboard, as the configuration names them.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    internal Neighbours Neighbours { get; } = new();

    /// <summary>Whether webhooks may lead to this machine; set before the start.</summary>
    internal bool AllowPrivateWebhooks { get; init; }

    /// <summary>What lies in the error queues; those of the bus unless set before the start.</summary>
    public IFaultedMessages? Faulted { get; init; }

    /// <summary>What it logged of requests, and why it could not answer them. A request has a trace where the server logs it.</summary>
    public LogLines Log { get; } = new(category => category == "Microsoft.AspNetCore.Hosting.Diagnostics" || category.StartsWith("Assay.Dashboard.Api", StringComparison.Ordinal));

    public IServiceProvider Services => app!.Services;

    public Uri Url { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(DashboardModule).Assembly.GetName().Name, ContentRootPath = AppContext.BaseDirectory, EnvironmentName = "Production",
        });
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Configuration["Dashboard:SignInsPerMinute"] = "1000";
        builder.Configuration["Dashboard:AllowPrivateWebhooks"] = AllowPrivateWebhooks.ToString();
        builder.Configuration.AddInMemoryCollection(Settings);
        var module = new DashboardModule();
        module.AddServices(builder, Postgres is { } database ? AssayDatabase.PostgreSql(database) : AssayDatabase.Sqlite(Path.Combine(folder, "dashboard.db")));
        Neighbours.AddServices(builder, AssayDatabase.Sqlite("unused"));
        if (Broker is not { } broker)
            builder.AddAssayInMemoryBus([module, Neighbours]);
        else
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["RabbitMq:Host"] = broker.Host, ["RabbitMq:Port"] = $"{broker.Port}", ["RabbitMq:VirtualHost"] = await broker.CreateVirtualHostAsync("dashboard"),
                ["RabbitMq:Username"] = broker.Username, ["RabbitMq:Password"] = broker.Password,
            });
            builder.AddAssayRabbitMqBus([module, Neighbours]);
        }

        if (Faulted is { } faulted)
            builder.Services.AddSingleton(faulted);
        builder.AddAssayHealth();
        app = builder.Build();
        app.MapAssayHealth();
        module.MapEndpoints(app);
        await app.PrepareAsync([module], CancellationToken.None);
        await app.StartAsync();
        Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A program with a key of this role.</summary>
    public async Task<HttpClient> ProgramAsync(string role)
    {
        var key = await Services.GetRequiredService<IKeyStore>().CreateKeyAsync(role, "test " + role);
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Secret);
        return client;
    }

    /// <summary>A browser without script, signed in by a link.</summary>
    public async Task<HttpClient> PersonAsync(string role = Roles.Operator)
    {
        var client = Stranger();
        var link = await Services.GetRequiredService<ILoginLinks>().CreateAsync(role, "test person");
        using var response = await client.GetAsync(new Uri(link, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        return client;
    }

    public HttpClient Stranger() => new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = Url };

    /// <summary>Lets the other services say something, in this order.</summary>
    public async Task SayAsync(params object[] messages)
    {
        var bus = Services.GetRequiredService<IBus>();
        foreach (var message in messages)
            await bus.Publish(message, message.GetType());
    }

    /// <summary>Lets the other services tell a whole audit, up to its end, and waits until it is in the read model.</summary>
    internal async Task<Guid> CompletedAuditAsync(string brand = "Anker", Guid? auditId = null, Func<string, string>? text = null)
    {
        var id = auditId ?? Guid.CreateVersion7();
        var score = Guid.CreateVersion7();
        Guid[] batches = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        var words = text?.Invoke(brand) ?? "1. Anker Soundcore is the best choice. Sony follows.";
        foreach (var engine in new[] { "chatgpt", "claude" })
            for (var q = 1; q <= 2; q++)
                Neighbours.Texts[$"key-{engine}-q{q:000}"] = words;
        var request = Sample.Request(id, brand);
        await SayAsync(Sample.Registered(id, request: request), Sample.Accepted(id), Sample.Planned(id),
            Sample.Transitioned(id, 1, "Initial", AuditStates.Admitting), Sample.Transitioned(id, 2, AuditStates.Admitting, AuditStates.Planning), Sample.Transitioned(id, 3, AuditStates.Planning, AuditStates.Asking),
            Sample.Described(id, batches[0], "chatgpt", 1, Sample.Answer("chatgpt", 1, words), Sample.Answer("chatgpt", 2, words)),
            Sample.Described(id, batches[1], "claude", 1, Sample.Answer("claude", 1, words), Sample.Answer("claude", 2, words)),
            Sample.Scored(id, score), Sample.Insights(id, 1), Sample.Insights(id, 2), Sample.Insights(id, 3), Sample.Budget(id, 1, 40_000, final: true),
            Sample.Manifest(id, score, batches));
        await EventuallyAsync(async db => await Task.FromResult(db.Manifests.Any(m => m.AuditId == id && m.PublishedAt != null)), $"the manifest of {id} is complete");
        await SayAsync(Sample.Completed(id));
        await EventuallyAsync(async db => await Task.FromResult(db.Audits.Any(a => a.AuditId == id && a.Status == AuditStates.Completed && a.BudgetFinal)), $"{id} is completed");
        return id;
    }

    internal async Task EventuallyAsync(Func<DashboardDbContext, Task<bool>> condition, string what)
    {
        var until = DateTime.UtcNow + Bound;
        while (DateTime.UtcNow < until)
        {
            await using var scope = Services.CreateAsyncScope();
            if (await condition(scope.ServiceProvider.GetRequiredService<DashboardDbContext>()))
                return;
            await Task.Delay(50);
        }

        throw new TimeoutException($"It did not become true within {Bound}: {what}.");
    }

    internal int Heard<T>(Func<T, bool> which)
    {
        lock (Neighbours.Heard)
            return Neighbours.Heard.OfType<T>().Count(which);
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<T>(Assay.Contracts.Internal.AssayJson.Options))!;
}
