using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;
using OpenBudgetMessage = Assay.Contracts.Internal.LlmGateway.OpenBudget;
using AskEngineMessage = Assay.Contracts.Internal.LlmGateway.AskEngine;

namespace Assay.LlmGateway;

/// <summary>A real gateway on the in-memory bus and a database of its own; it speaks the saga's and the Analyzer's part.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    static readonly ILoggerFactory Loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole());

    readonly WebApplication _app;
    readonly Heard _heard;

    GatewayHost(WebApplication app, Heard heard, AssayDatabase database)
    {
        (_app, _heard, Database) = (app, heard, database);
    }

    public AssayDatabase Database { get; }
    public IServiceProvider Services => _app.Services;
    public IBus Bus => _app.Services.GetRequiredService<IBus>();

    public static async Task<GatewayHost> StartAsync(DatabaseProvider provider, IEngineCatalog engines, params (string Key, string Value)[] settings) =>
        await StartOnAsync(await NewDatabaseAsync(provider), engines, settings);

    public static async Task<AssayDatabase> NewDatabaseAsync(DatabaseProvider provider) => provider == DatabaseProvider.Sqlite ? NewSqlite() : await NewPostgresAsync();

    public static AssayDatabase NewSqlite() => AssayDatabase.Sqlite(TemporaryFiles.NewPath("gateway.db"));

    public static async Task<AssayDatabase> NewPostgresAsync() => AssayDatabase.PostgreSql(await (await PrivatePostgres.Shared).CreateDatabaseAsync("gateway"));

    /// <summary>The ledger in a database, without a gateway.</summary>
    public static LlmGatewayDbContext OpenLedger(AssayDatabase database)
    {
        if (database.Provider == DatabaseProvider.Sqlite)
        {
            var sqlite = new DbContextOptionsBuilder<SqliteLlmGatewayDbContext>();
            sqlite.UseAssaySqlite(database.ConnectionString);
            return new SqliteLlmGatewayDbContext(sqlite.Options);
        }

        var postgres = new DbContextOptionsBuilder<PostgreSqlLlmGatewayDbContext>();
        postgres.UseAssayPostgres(database.ConnectionString);
        return new PostgreSqlLlmGatewayDbContext(postgres.Options);
    }

    public static Task<GatewayHost> StartOnAsync(AssayDatabase database, IEngineCatalog? engines, params (string Key, string Value)[] settings) => StartAsync(new LlmGatewayModule(), database, engines, new Heard(), settings);

    /// <summary>Another service in the gateway's place, which has no use for its database.</summary>
    public static Task<GatewayHost> StartInsteadAsync(AssayModule module, TestEngine engine) => StartAsync(module, NewSqlite(), engine, new Heard(), []);

    /// <summary>A gateway after this one, on another database perhaps; what was heard before is remembered.</summary>
    public Task<GatewayHost> StartAnotherAsync(AssayDatabase database, IEngineCatalog engines) => StartAsync(new LlmGatewayModule(), database, engines, _heard, []);

    static async Task<GatewayHost> StartAsync(AssayModule module, AssayDatabase database, IEngineCatalog? engines, Heard heard, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value));
        // One factory for all hosts of the process: the bus keeps the first it sees.
        builder.Services.AddSingleton(Loggers);
        builder.Services.AddSingleton(heard);
        if (engines is not null)
            builder.Services.AddSingleton(engines);
        if (engines is TestEngine engine)
            builder.Services.AddSingleton(engine);
        module.AddServices(builder, database);
        builder.AddAssayInMemoryBus([module, new ListenerModule()]);
        var app = builder.Build();
        await using (var scope = app.Services.CreateAsyncScope())
        {
            // As the service's own start does it.
            if (scope.ServiceProvider.GetService<LlmGatewayDbContext>() is { } ledger)
                await ledger.Database.MigrateAsync();
            if (database.Provider == DatabaseProvider.PostgreSql)
                await scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>().UseLz4Async(CancellationToken.None);
        }

        await module.PrepareAsync(app.Services, CancellationToken.None);
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        return new GatewayHost(app, heard, database);
    }

    public async Task<object> OpenAsync(OpenBudgetMessage message)
    {
        await Bus.Publish(message);
        return await EventuallyAsync<object>(() =>
            (object?)Of<BudgetOpened>(message.AuditId).FirstOrDefault(opened => opened.Attempt == message.Attempt) ?? Of<BudgetRefused>(message.AuditId).FirstOrDefault(refused => refused.Attempt == message.Attempt));
    }

    public async Task<EngineAnswered> AskAsync(AskEngineMessage message)
    {
        await Bus.Publish(message);
        return await AnsweredAsync(message);
    }

    public Task<EngineAnswered> AnsweredAsync(AskEngineMessage message) =>
        EventuallyAsync(() => Of<EngineAnswered>(message.AuditId).FirstOrDefault(answered => answered.BatchId == message.BatchId));

    public async Task<BudgetReported> CloseAsync(Guid auditId, int attempt = 1)
    {
        await Bus.Publish(new CloseBudgetMessage { AuditId = auditId, Attempt = attempt, Reason = "test" });
        return await EventuallyAsync(() => Of<BudgetReported>(auditId).FirstOrDefault(report => report.Final && report.Attempt == attempt));
    }

    public IReadOnlyList<T> Of<T>(Guid auditId)
        where T : class => _heard.Of<T>(auditId);

    /// <summary>Forgets what was heard.</summary>
    public void Forget() => _heard.Forget();

    public static Task<T> EventuallyAsync<T>(Func<T?> look)
        where T : class => Heard.EventuallyAsync(look, Patience);

    public static Task<T> EventuallyAsync<T>(Func<Task<T>> look, Func<T, bool> reached) => Heard.EventuallyAsync(look, reached, Patience);

    public async Task<T> QueryAsync<T>(Func<LlmGatewayDbContext, Task<T>> query)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>());
    }

    public Task<Ledger.Spending> SpendingAsync(string scope) => QueryAsync(database => database.Spending.AsNoTracking().SingleAsync(row => row.Scope == scope));

    /// <summary>What must hold at any moment between transactions.</summary>
    public async Task ShouldBalanceAsync() => await QueryAsync(async database =>
    {
        await LedgerInvariants.ShouldHoldAsync(database);
        return true;
    });

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>Requests as the saga makes them.</summary>
public static class Requests
{
    public static RequestAudit Audit(string[] queries, string[]? engines = null, decimal ceilingUsd = 5, string inDoubt = InDoubtPolicies.Keep) => new()
    {
        AuditId = Guid.NewGuid(),
        Brand = new Brand { Name = "Anker" },
        Queries = queries,
        Engines = engines ?? ["test"],
        CeilingUsd = ceilingUsd,
        InDoubt = inDoubt,
    };

    public static string[] Queries(int count) => [.. Enumerable.Range(1, count).Select(i => $"best earbuds {i}")];

    public static OpenBudgetMessage Open(RequestAudit request, int attempt = 1, bool askInDoubtAgain = false, DateTime? deadlineAt = null, long? ceilingMicroUsd = null) => new()
    {
        AuditId = request.AuditId,
        Attempt = attempt,
        TrackingId = request.AuditId,
        Request = request,
        CeilingMicroUsd = ceilingMicroUsd ?? Contracts.Internal.MicroUsd.FromUsd(request.CeilingUsd),
        TreeCeilingMicroUsd = ceilingMicroUsd ?? Contracts.Internal.MicroUsd.FromUsd(request.CeilingUsd),
        TreeCeilingDefaulted = true,
        DeadlineAt = deadlineAt ?? DateTime.UtcNow.AddMinutes(5),
        AskInDoubtAgain = askInDoubtAgain,
    };

    /// <summary>All the request's queries, in as few batches as hold them.</summary>
    public static IReadOnlyList<AskEngineMessage> AskAll(RequestAudit request) => [.. request.Queries!.Chunk(BatchBounds.MaxQuestions).Select(queries => Ask(request, queries: queries))];

    public static AskEngineMessage Ask(RequestAudit request, int attempt = 1, string engine = "test", DateTime? deadlineAt = null, string purpose = Purposes.Answer, params string[] queries) => new()
    {
        AuditId = request.AuditId,
        Attempt = attempt,
        BatchId = Guid.NewGuid(),
        Purpose = purpose,
        Engine = engine,
        DeadlineAt = deadlineAt ?? DateTime.UtcNow.AddMinutes(5),
        Questions = [.. (queries.Length > 0 ? queries : request.Queries!).Select((query, i) => new Question { QuestionId = $"q{i + 1:000}", Text = query })],
    };
}
