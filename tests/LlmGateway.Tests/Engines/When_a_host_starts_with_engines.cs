using System.Collections.Concurrent;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.LlmGateway.Tests.Engines;

public class When_a_host_starts_with_engines
{
    [Fact]
    public async Task Should_not_start_with_settings_that_cannot_be_used()
    {
        var started = false;
        using var host = Host(new Lines(), services => services.AddHostedService(_ => new Witness(() => started = true)), ("Engines:chatgpt:Kind", "openai"), ("Engines:chatgpt:BaseUrl", "http://127.0.0.1:1"), ("Engines:chatgpt:Model", "mystery-1"));

        var refused = await Should.ThrowAsync<EngineSettingsException>(() => host.StartAsync());

        refused.Message.ShouldContain("Engines:chatgpt:InputUsdPerMTok is not set, and the price of 'mystery-1' at 127.0.0.1 is not known: an unknown price is not free");
        started.ShouldBeFalse("nothing may run before the engines are known");
    }

    [Fact]
    public async Task Should_say_what_each_engine_is_and_costs()
    {
        var lines = new Lines();
        using var host = Host(lines, _ => { }, ("Engines:chatgpt:Kind", "scripted"), ("Engines:claude:ApiKey", "planted-key"));

        await host.StartAsync();

        lines.ShouldContain(line => line.Contains("Engine chatgpt is scripted scripted-1", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains("Engine claude is anthropic claude-haiku-4-5: input 1", StringComparison.Ordinal) && line.Contains("list prices of", StringComparison.Ordinal));
        await host.StopAsync();
    }

    [Theory]
    [InlineData(EngineKinds.OpenAI, 401)]
    [InlineData(EngineKinds.OpenAI, 200)]
    [InlineData(EngineKinds.Anthropic, 401)]
    [InlineData(EngineKinds.Anthropic, 500)]
    [InlineData(EngineKinds.Gemini, 400)]
    public async Task Should_log_neither_key_nor_prompt_nor_answer(string kind, int status)
    {
        var lines = new Lines();
        await using var provider = new RawProvider("""{"error":{"message":"Incorrect key planted-key for planted-prompt","type":"planted-prompt in a type","code":"planted prompt"},"text":"planted-answer"}""", status);
        using var host = Host(lines, _ => { }, ("Engines:e:Kind", kind), ("Engines:e:BaseUrl", provider.BaseUrl.Replace("/v1", "", StringComparison.Ordinal)), ("Engines:e:Model", "m"), ("Engines:e:ApiKey", "planted-key"),
            ("Engines:e:InputUsdPerMTok", "1"), ("Engines:e:OutputUsdPerMTok", "1"));
        await host.StartAsync();
        var engine = host.Services.GetRequiredService<IEngineCatalog>().Find("e")!;

        await Configured.AskWarmAsync(engine, new EngineRequest { Text = "planted-prompt", System = "planted-system", Purpose = Purposes.Answer }, () => provider.Requests.Count > 0);
        await host.StopAsync();

        provider.Requests.ShouldNotBeEmpty();
        lines.ShouldNotBeEmpty();
        lines.ShouldAllBe(line => !line.Contains("planted", StringComparison.OrdinalIgnoreCase));
    }

    static IHost Host(Lines lines, Action<IServiceCollection> more, params (string Key, string Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(lines);
        more(builder.Services);
        builder.Services.AddEngines(builder.Configuration);
        return builder.Build();
    }

    sealed class Witness(Action started) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            started();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    sealed class Lines : ConcurrentQueue<string>, ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Enqueue($"{formatter(state, exception)} {state} {exception}");
    }
}
