using System.Collections.Concurrent;
using System.Data.Common;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Integrity;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.AuditSaga.Tests;

/// <summary>The saga as a host runs it: its module, a real bus in memory, a real database, and the other services played by <see cref="Others"/>.</summary>
sealed class SagaHost : IAsyncDisposable
{
    readonly WebApplication app;
    readonly DealtWith dealtWith = new();

    SagaHost(WebApplication app) => this.app = app;

    /// <summary>Whether the host gives up, as it does when a background service throws.</summary>
    public bool IsStopping => app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;

    /// <summary>Waits until the watch has met the database's absence several times, or has given up.</summary>
    public async Task UntilTheWatchSawItAsync()
    {
        var failures = app.Services.GetRequiredService<WatchFailures>();
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (failures.Count < 3 && !IsStopping)
        {
            if (DateTime.UtcNow > giveUp)
                throw new TimeoutException($"The watch has met {failures.Count} failures in 30 s.");
            await Task.Delay(20);
        }
    }

    public Others Others => app.Services.GetRequiredService<Others>();

    /// <summary>Starts a host on a database; <paramref name="settings"/> are <c>Section:Key=value</c>. With <c>RabbitMq:Host</c> among them the bus is a broker's, else in memory.</summary>
    public static Task<SagaHost> StartAsync(AssayDatabase database, Others? others = null, params string[] settings) => StartAsync(database, others, TimeProvider.System, settings);

    /// <summary>The same by a clock of the test's own; it should start near the real time, by which the timers are delivered.</summary>
    public static async Task<SagaHost> StartAsync(AssayDatabase database, Others? others, TimeProvider clock, params string[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Test" });
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var failures = new WatchFailures();
        builder.Logging.AddProvider(failures);
        builder.Services.AddSingleton(failures);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])));
        builder.Services.AddSingleton(others ?? new Others());
        builder.Services.AddSingleton(clock);
        var saga = new AuditSagaModule();
        saga.AddServices(builder, database);
        if (builder.Configuration["RabbitMq:Host"] is null)
            builder.AddAssayInMemoryBus([saga, new OthersModule()]);
        else
            builder.AddAssayRabbitMqBus([saga, new OthersModule()]);
        var built = builder.Build();
        await built.PrepareAsync([saga], CancellationToken.None);
        await built.StartAsync();
        var host = new SagaHost(built);
        built.Services.GetRequiredService<IBus>().ConnectConsumeObserver(host.dealtWith);
        return host;
    }

    /// <summary>What the bus says of its own pipeline, as JSON.</summary>
    public string Pipeline => app.Services.GetRequiredService<IBusControl>().GetProbeResult() is { } probe ? System.Text.Json.JsonSerializer.Serialize(probe.Results) : "";

    public IBus Bus => app.Services.GetRequiredService<IBus>();

    public async Task SendAsync<T>(T message) where T : class => await app.Services.GetRequiredService<IBus>().Publish(message);

    /// <summary>Sends a message that only the saga hears, and waits until it is dealt with.</summary>
    public async Task DeliverAsync<T>(T message) where T : class
    {
        var messageId = NewId.NextGuid();
        await app.Services.GetRequiredService<IBus>().Publish(message, context => context.MessageId = messageId);
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (!dealtWith.Has(messageId))
        {
            if (DateTime.UtcNow > giveUp)
                throw new TimeoutException($"{typeof(T).Name} was not dealt with in 30 s.");
            await Task.Delay(1);
        }
    }

    /// <summary>The daily comparison, if it is due.</summary>
    /// <returns>Whether this instance made it.</returns>
    public Task<bool> CompareServicesAsync() => app.Services.GetServices<IHostedService>().OfType<IntegrityService>().Single().CompareIfDueAsync(CancellationToken.None);

    public async Task<bool> RoundAsync(Func<IntegrityRounds, Task<bool>> act)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await act(scope.ServiceProvider.GetRequiredService<IntegrityRounds>());
    }

    public async Task<T> QueryAsync<T>(Func<AuditSagaDbContext, Task<T>> query)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<AuditSagaDbContext>());
    }

    /// <summary>Waits until an audit's row fulfils a condition.</summary>
    public async Task<AuditState> UntilAsync(Guid auditId, Func<AuditState, bool> condition, double seconds = 30)
    {
        var giveUp = DateTime.UtcNow.AddSeconds(seconds);
        AuditState? row = null;
        do
        {
            try
            {
                row = await QueryAsync(db => db.Audits.AsNoTracking().SingleOrDefaultAsync(audit => audit.CorrelationId == auditId));
                if (row is not null && condition(row))
                    return row;
            }
            catch (Exception exception) when (exception is DbException { IsTransient: true } or InvalidOperationException { InnerException: DbException { IsTransient: true } })
            {
                // The test has the database restarted: asked again within the bound.
                row = null;
            }

            await Task.Delay(20);
        }
        while (DateTime.UtcNow < giveUp);
        throw new TimeoutException($"Audit {auditId} is {row?.CurrentState ?? "unknown"} ({row?.FailureReason}) after {seconds} s.");
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    /// <summary>Counts what the watch says about a database that cannot be used.</summary>
    sealed class WatchFailures : ILoggerProvider, ILogger
    {
        int count;

        public int Count => Volatile.Read(ref count);

        public ILogger CreateLogger(string categoryName) => categoryName.EndsWith("DeadlineWatchService", StringComparison.Ordinal) ? this : NullLogger.Instance;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "DatabaseUnusable")
                Interlocked.Increment(ref count);
        }

        public bool IsEnabled(LogLevel logLevel) => true;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public void Dispose() => Interlocked.Exchange(ref count, 0);
    }

    sealed class DealtWith : IConsumeObserver
    {
        readonly ConcurrentDictionary<Guid, bool> messages = [];

        public bool Has(Guid messageId) => messages.ContainsKey(messageId);

        public Task PostConsume<T>(ConsumeContext<T> context) where T : class
        {
            if (context.MessageId is { } messageId)
                messages[messageId] = true;
            return Task.CompletedTask;
        }

        public Task PreConsume<T>(ConsumeContext<T> context) where T : class => Task.CompletedTask;
        public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception) where T : class => Task.CompletedTask;
    }

    sealed class OthersModule : AssayModule
    {
        public override string Name => "Others";

        public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
        {
        }

        public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<OthersConsumer>();
    }
}

/// <summary>Gateway, Analyzer and Dashboard at their simplest; each answer can be withheld, and everything the saga says is kept.</summary>
sealed class Others
{
    public ConcurrentQueue<object> Heard { get; } = [];

    /// <summary>Commands that get no answer.</summary>
    public ConcurrentDictionary<Type, bool> Silent { get; } = [];

    /// <summary>Commands whose consumer throws.</summary>
    public ConcurrentDictionary<Type, bool> Failing { get; } = [];

    public IReadOnlyList<T> All<T>() => [.. Heard.OfType<T>()];

    public async Task<T> UntilHeardAsync<T>(Func<T, bool>? condition = null, double seconds = 30)
    {
        var giveUp = DateTime.UtcNow.AddSeconds(seconds);
        while (DateTime.UtcNow < giveUp)
        {
            if (Heard.OfType<T>().FirstOrDefault(message => condition?.Invoke(message) ?? true) is { } heard)
                return heard;
            await Task.Delay(20);
        }

        throw new TimeoutException($"No {typeof(T).Name} was heard in {seconds} s, but {string.Join(", ", Heard.Select(message => message.GetType().Name).Distinct())}.");
    }
}

sealed class OthersConsumer(Others others) :
    IConsumer<OpenBudget>, IConsumer<PlanQueries>, IConsumer<AskEngine>, IConsumer<ScoreAudit>, IConsumer<DraftInsights>, IConsumer<PublishReport>, IConsumer<CloseBudget>,
    IConsumer<AuditAccepted>, IConsumer<AuditRejected>, IConsumer<AuditProgressed>, IConsumer<AuditCompleted>, IConsumer<AuditFailed>, IConsumer<AuditCancelled>, IConsumer<AlertRaised>,
    IConsumer<AuditTransitioned>, IConsumer<RepairReadModel>, IConsumer<GetLedgerFacts>, IConsumer<GetAnalysisFacts>, IConsumer<GetReadModelFacts>
{
    public Task Consume(ConsumeContext<OpenBudget> context) => Answer(context, m => Given.Opened(m.AuditId, m.Attempt));
    public Task Consume(ConsumeContext<PlanQueries> context) => Answer(context, m => Given.Planned(m.AuditId, m.Attempt));
    public Task Consume(ConsumeContext<AskEngine> context) => Answer(context, m => Given.Analyzed(m));
    public Task Consume(ConsumeContext<ScoreAudit> context) => Answer(context, m => Given.Scored(m.AuditId, m.Attempt));
    public Task Consume(ConsumeContext<DraftInsights> context) => Answer(context, m => Given.Drafted(m.AuditId, m.Layer, m.Attempt));
    public Task Consume(ConsumeContext<PublishReport> context) => Answer(context, m => Given.Published(m.AuditId, m.Attempt));
    public Task Consume(ConsumeContext<CloseBudget> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditAccepted> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditRejected> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditProgressed> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditCompleted> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditFailed> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditCancelled> context) => Hear(context);
    public Task Consume(ConsumeContext<AlertRaised> context) => Hear(context);
    public Task Consume(ConsumeContext<AuditTransitioned> context) => Hear(context);
    public Task Consume(ConsumeContext<RepairReadModel> context) => Hear(context);
    public Task Consume(ConsumeContext<GetLedgerFacts> context) => context.RespondAsync(new LedgerFacts { Audits = [] });
    public Task Consume(ConsumeContext<GetAnalysisFacts> context) => context.RespondAsync(new AnalysisFacts { Audits = [] });
    public Task Consume(ConsumeContext<GetReadModelFacts> context) => context.RespondAsync(new ReadModelFacts { Audits = [] });

    Task Hear<T>(ConsumeContext<T> context) where T : class
    {
        others.Heard.Enqueue(context.Message);
        return Task.CompletedTask;
    }

    async Task Answer<T, TAnswer>(ConsumeContext<T> context, Func<T, TAnswer> answer) where T : class where TAnswer : class
    {
        others.Heard.Enqueue(context.Message);
        if (others.Failing.ContainsKey(typeof(T)))
            throw new InvalidOperationException($"{typeof(T).Name} cannot be done.");
        if (!others.Silent.ContainsKey(typeof(T)))
            await context.Publish(answer(context.Message));
    }
}
