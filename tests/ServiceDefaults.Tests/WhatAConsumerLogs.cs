using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults.Tests;

/// <summary>A message about an attempt of an audit.</summary>
public sealed record Talk
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
}

public sealed class WhatAConsumerLogs
{
    [Fact]
    public async Task Should_carry_the_audit_and_its_attempt()
    {
        var builder = Host.CreateApplicationBuilder();
        var scopes = new Scopes();
        builder.Logging.ClearProviders().AddProvider(scopes);
        builder.AddAssayInMemoryBus([new Module()]);
        using var host = builder.Build();
        await host.StartAsync();
        var audit = Guid.NewGuid();

        await host.Services.GetRequiredService<IBus>().Publish(new Talk { AuditId = audit, Attempt = 2 });

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (scopes.Heard.IsEmpty)
            await Task.Delay(20, limit.Token);
        scopes.Heard.Single().ShouldBe($"AuditId={audit} Attempt=2");
        await host.StopAsync();
    }

    public sealed class Talker(ILogger<Talker> logger) : IConsumer<Talk>
    {
        public Task Consume(ConsumeContext<Talk> context)
        {
#pragma warning disable CA1848 // One line, logged once.
            logger.LogInformation("Heard");
#pragma warning restore CA1848
            return Task.CompletedTask;
        }
    }

    sealed class Module : AssayModule
    {
        public override string Name => "Talk";

        public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
        {
        }

        public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<Talker>();
    }

    /// <summary>Keeps the scopes around the consumer's line.</summary>
    sealed class Scopes : ILoggerProvider, ILogger, ISupportExternalScope
    {
        IExternalScopeProvider provider = new LoggerExternalScopeProvider();

        public ConcurrentQueue<string> Heard { get; } = new();

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => provider = scopeProvider;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception) != "Heard")
                return;
            List<string> around = [];
            provider.ForEachScope((scope, list) => list.AddRange(scope is IEnumerable<KeyValuePair<string, object?>> pairs ? pairs.Select(pair => $"{pair.Key}={pair.Value}") : []), around);
            Heard.Enqueue(string.Join(' ', around.Where(pair => pair.StartsWith("A", StringComparison.Ordinal))));
        }

        public void Dispose()
        {
        }
    }
}
