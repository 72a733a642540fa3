using System.Collections.Concurrent;
using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.Analyzer.Tests;

/// <summary>The Analyzer on an in-memory bus and a database of its own; the test plays saga and gateway.</summary>
sealed class AnalyzerHost : IAsyncDisposable
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    readonly IHost host;
    readonly string? folder;
    readonly Heard heard;

    AnalyzerHost(IHost host, string? folder)
    {
        this.host = host;
        this.folder = folder;
        heard = host.Services.GetRequiredService<Heard>();
    }

    public static Task<AnalyzerHost> OnAsync(string database) => database == "postgresql" ? OnPostgreSqlAsync() : OnSqliteAsync();

    public static async Task<AnalyzerHost> OnPostgreSqlAsync()
    {
        var server = await PrivatePostgres.Shared;
        return await StartAsync(AssayDatabase.PostgreSql(await server.CreateDatabaseAsync($"analyzer_{Guid.NewGuid():N}")), null);
    }

    public static Task<AnalyzerHost> OnSqliteAsync(params (string Key, string Value)[] settings)
    {
        var temporary = Directory.CreateTempSubdirectory("assay-analyzer-").FullName;
        return StartAsync(AssayDatabase.Sqlite(Path.Combine(temporary, "analyzer.db")), temporary, settings);
    }

    static async Task<AnalyzerHost> StartAsync(AssayDatabase database, string? temporary, params (string Key, string Value)[] settings)
    {
        var module = new AnalyzerModule();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        module.AddServices(builder, database);
        builder.Services.AddSingleton<Heard>();
        builder.Services.AddSingleton(new MessagingOptions { ImmediateRetries = 2, Redelivery = [] });
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            module.AddConsumers(bus);
            bus.AddConsumer<Listener>();
            bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
        });
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        var built = builder.Build();
        await using (var scope = built.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<AnalyzerDbContext>().Database.MigrateAsync();
        await built.StartAsync();
        return new(built, temporary);
    }

    public Task SendAsync<T>(T message) where T : class => host.Services.GetRequiredService<IBus>().Publish(message);

    /// <summary>The n-th message of a kind that matches, in order of arrival.</summary>
    public async Task<T> HearAsync<T>(Func<T, bool>? matches = null, int number = 1) where T : class
    {
        using var bound = new CancellationTokenSource(Bound);
        while (true)
        {
            var arrived = heard.Next;
            var found = heard.All<T>().Where(message => matches?.Invoke(message) ?? true).Skip(number - 1).FirstOrDefault();
            if (found is not null)
                return found;
            try
            {
                await arrived.WaitAsync(bound.Token);
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException($"Message {number} of type {typeof(T).Name} did not arrive within {Bound}; heard: {string.Join(", ", heard.Names)}", exception);
            }
        }
    }

    public IReadOnlyList<T> Heard<T>() where T : class => [.. heard.All<T>()];

    public async Task<TResult> AskAsync<TRequest, TResult>(TRequest request) where TRequest : class where TResult : class
    {
        await using var scope = host.Services.CreateAsyncScope();
        var response = await scope.ServiceProvider.GetRequiredService<IBus>().CreateRequestClient<TRequest>().GetResponse<TResult>(request, timeout: RequestTimeout.After(s: 30));
        return response.Message;
    }

    public T Service<T>() where T : notnull => host.Services.GetRequiredService<T>();

    public async Task<TResult> InDatabaseAsync<TResult>(Func<AnalyzerDbContext, Task<TResult>> query)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<AnalyzerDbContext>());
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        if (folder is not null)
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>Everything that was published, in order of arrival.</summary>
sealed class Heard
{
    readonly ConcurrentQueue<object> messages = new();
    TaskCompletionSource next = New();

    public Task Next => Volatile.Read(ref next).Task;
    public IEnumerable<string> Names => messages.Select(message => message.GetType().Name);

    public IEnumerable<T> All<T>() => messages.OfType<T>();

    public void Add(object message)
    {
        messages.Enqueue(message);
        Interlocked.Exchange(ref next, New()).SetResult();
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

sealed class Listener(Heard heard) :
    IConsumer<QueriesPlanned>, IConsumer<AnswersAnalyzed>, IConsumer<AnswersDescribed>, IConsumer<AuditScored>, IConsumer<InsightsDrafted>, IConsumer<AnswersJudged>,
    IConsumer<AskEngine>, IConsumer<AnswersStored>,
    IConsumer<Fault<Assay.Contracts.Internal.Analyzer.PlanQueries>>, IConsumer<Fault<EngineAnswered>>, IConsumer<Fault<Assay.Contracts.Internal.Analyzer.ScoreAudit>>, IConsumer<Fault<Assay.Contracts.Internal.Analyzer.DraftInsights>>
{
    public Task Consume(ConsumeContext<QueriesPlanned> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AnswersAnalyzed> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AnswersDescribed> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AuditScored> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<InsightsDrafted> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AnswersJudged> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AskEngine> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<AnswersStored> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<Fault<Assay.Contracts.Internal.Analyzer.PlanQueries>> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<Fault<EngineAnswered>> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<Fault<Assay.Contracts.Internal.Analyzer.ScoreAudit>> context) => Hear(context.Message);
    public Task Consume(ConsumeContext<Fault<Assay.Contracts.Internal.Analyzer.DraftInsights>> context) => Hear(context.Message);

    Task Hear(object message)
    {
        heard.Add(message);
        return Task.CompletedTask;
    }
}
