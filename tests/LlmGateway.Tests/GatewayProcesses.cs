using System.Globalization;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Database;
using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using AskEngineMessage = Assay.Contracts.Internal.LlmGateway.AskEngine;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;
using OpenBudgetMessage = Assay.Contracts.Internal.LlmGateway.OpenBudget;

namespace Assay.LlmGateway;

/// <summary>Gateways as real processes on a private broker and database, asking the fake provider; the test plays saga and Analyzer.</summary>
public sealed class GatewayProcesses : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    static readonly ILoggerFactory Loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Error).AddConsole());

    readonly WebApplication _listener;
    readonly Heard _heard;
    readonly string _database;
    readonly Dictionary<string, string> _settings;
    readonly List<ServiceProcess> _gateways = [];

    GatewayProcesses(WebApplication listener, Heard heard, string database, FakeLlm provider, Dictionary<string, string> settings) =>
        (_listener, _heard, _database, Provider, _settings) = (listener, heard, database, provider, settings);

    public FakeLlm Provider { get; }
    public IBus Bus => _listener.Services.GetRequiredService<IBus>();

    public static async Task<GatewayProcesses> StartAsync(string[] provider, params (string Key, string Value)[] settings) => await StartOnAsync(await PrivatePostgres.Shared, provider, settings);

    /// <summary>On a server of the test's own, which it may kill.</summary>
    public static async Task<GatewayProcesses> StartOnAsync(PrivatePostgres postgres, string[] provider, params (string Key, string Value)[] settings)
    {
        var broker = await PrivateRabbitMq.Shared;
        var virtualHost = await broker.CreateVirtualHostAsync("gateway");
        var database = await postgres.CreateDatabaseAsync("gateway");
        var fake = await FakeLlm.StartAsync(provider);
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RabbitMq__Host"] = broker.Host, ["RabbitMq__Port"] = broker.Port.ToString(CultureInfo.InvariantCulture), ["RabbitMq__VirtualHost"] = virtualHost,
            ["RabbitMq__Username"] = broker.Username, ["RabbitMq__Password"] = broker.Password,
            ["ConnectionStrings__LlmGateway"] = database,
            ["Engines__test__Kind"] = "openai", ["Engines__test__BaseUrl"] = new Uri(fake.BaseUrl, "v1").ToString(), ["Engines__test__Model"] = "fake-1", ["Engines__test__ApiKey"] = "none",
            ["Engines__test__InputUsdPerMTok"] = "2.5", ["Engines__test__OutputUsdPerMTok"] = "10", ["Engines__test__MaxOutputTokens"] = "1000",
            ["Engines__test__MaxConcurrency"] = "64", ["Engines__test__Timeout"] = "00:00:20",
            ["LlmGateway__DailyCeilingUsd"] = "100", ["LlmGateway__FirstBackoff"] = "00:00:00.050",
        };
        foreach (var (key, value) in settings)
            all[key] = value;

        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(all.ToDictionary(setting => setting.Key.Replace("__", ":", StringComparison.Ordinal), string? (setting) => setting.Value));
        builder.Services.AddSingleton(Loggers);
        var heard = new Heard();
        builder.Services.AddSingleton(heard);
        builder.AddAssayRabbitMqBus([new ListenerModule()]);
        var listener = builder.Build();
        listener.Urls.Add("http://127.0.0.1:0");
        await listener.StartAsync();
        return new GatewayProcesses(listener, heard, database, fake, all);
    }

    /// <summary>A gateway process, started and ready.</summary>
    public async Task<ServiceProcess> StartGatewayAsync()
    {
        var gateway = new ServiceProcess("LlmGateway", _settings);
        _gateways.Add(gateway);
        gateway.Start();
        await gateway.WaitUntilReadyAsync(TimeSpan.FromSeconds(60));
        return gateway;
    }

    public async Task<BudgetOpened> OpenAsync(OpenBudgetMessage message)
    {
        await Bus.Publish(message);
        return await EventuallyAsync(() => _heard.Of<BudgetRefused>(message.AuditId).FirstOrDefault() is { } refused
            ? throw new InvalidOperationException($"{refused.Reason}: {refused.Detail}")
            : _heard.Of<BudgetOpened>(message.AuditId).FirstOrDefault(opened => opened.Attempt == message.Attempt));
    }

    public async Task<EngineAnswered> AskAsync(AskEngineMessage message)
    {
        await Bus.Publish(message);
        try
        {
            return await EventuallyAsync(() => _heard.Of<EngineAnswered>(message.AuditId).FirstOrDefault(answered => answered.BatchId == message.BatchId));
        }
        catch (TimeoutException exception)
        {
            var calls = await QueryAsync(database => database.PaidCalls.GroupBy(call => new { call.State, Owned = call.Owner != null }).Select(group => $"{group.Key.State} owned {group.Key.Owned}: {group.Count()}").ToListAsync());
            var instances = await QueryAsync(database => database.Instances.Select(instance => $"{instance.Owner} {instance.Worker} dead {instance.DeadAt} lease {instance.LeaseUntil} divisor {instance.Divisor}").ToListAsync());
            var batch = await QueryAsync(database => database.Batches.Where(row => row.BatchId == message.BatchId).Select(row => $"received {row.ReceivedAt} finished {row.FinishedAt}").ToListAsync());
            throw new TimeoutException($"{exception.Message} Batch: {string.Join(';', batch)}. Calls: {string.Join("; ", calls)}. Owners: {string.Join("; ", instances)}. Logs: {LogTails}", exception);
        }
    }

    public async Task CloseAsync(Guid auditId, int attempt = 1)
    {
        await Bus.Publish(new CloseBudgetMessage { AuditId = auditId, Attempt = attempt, Reason = "test" });
        await EventuallyAsync(() => _heard.Of<BudgetReported>(auditId).FirstOrDefault(report => report.Final && report.Attempt == attempt));
    }

    public Task<T> EventuallyAsync<T>(Func<T?> look)
        where T : class => Heard.EventuallyAsync(look, Patience);

    public async Task<T> QueryAsync<T>(Func<LlmGatewayDbContext, Task<T>> query)
    {
        await using var database = GatewayHost.OpenLedger(AssayDatabase.PostgreSql(_database));
        return await query(database);
    }

    public Task<bool> ShouldBalanceAsync() => QueryAsync(async database =>
    {
        await LedgerInvariants.ShouldHoldAsync(database);
        return true;
    });

    public string LogTails => string.Join("\n---\n", _gateways.Select(gateway => gateway.LogTail));

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways)
            await gateway.DisposeAsync();
        await _listener.StopAsync();
        await _listener.DisposeAsync();
        await Provider.DisposeAsync();
    }
}
