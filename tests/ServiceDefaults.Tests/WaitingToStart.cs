using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Assay.ServiceDefaults.Tests;

/// <summary>A host, as the embedded one is put together, whose preparation takes its time.</summary>
public sealed class WaitingToStart
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Should_be_alive_at_once_and_take_work_once_everything_has_started()
    {
        var module = new SlowModule();
        await using var app = Build(module);
        var starting = app.StartAsync();
        await module.Reached.Task.WaitAsync(Bound);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = Bound };

        (await StatusAsync(http, "health/live")).ShouldBe(HttpStatusCode.OK);
        var (status, ready) = await ReadyAsync(http);
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ready.GetProperty("missing").EnumerateArray().Select(name => name.GetString()).ShouldBe(["bus", "start"]);
        ready.GetProperty("checks").GetProperty("start").GetProperty("description").GetString().ShouldBe("It starts: what was left unfinished is looked at.");
        using (var refused = await http.GetAsync(new Uri("work", UriKind.Relative)))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter.ShouldNotBeNull();
            refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
            (await refused.Content.ReadAsStringAsync()).ShouldContain("It starts");
        }

        module.WorkerStarted.ShouldBeFalse("workers start when everything is prepared");
        starting.IsCompleted.ShouldBeFalse();

        module.Release.SetResult();
        await starting.WaitAsync(Bound);
        module.WorkerStarted.ShouldBeTrue();
        (await ReadyAsync(http)).Status.ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(http, "work")).ShouldBe(HttpStatusCode.OK);

        await app.StopAsync();
        module.ListenedWhenTheWorkerStopped.ShouldBe(false, "requests end before the workers do");
    }

    [Fact]
    public async Task Should_end_at_once_when_it_is_stopped_while_it_waits()
    {
        var module = new SlowModule();
        await using var app = Build(module);
        var running = app.RunAsync();
        await module.Reached.Task.WaitAsync(Bound);

        app.Lifetime.StopApplication();

        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(Bound));
        module.WorkerStarted.ShouldBeFalse();
    }

    [Fact]
    public async Task Should_prepare_again_after_the_database_was_away()
    {
        var module = new SlowModule { Failures = new([new InvalidOperationException("likely due to a transient failure", new NpgsqlException("reset", new IOException()))]) };
        module.Release.SetResult();
        await using var app = Build(module);
        await app.StartAsync().WaitAsync(Bound);
        module.WorkerStarted.ShouldBeTrue();
        module.Prepared.ShouldBe(2);
    }

    [Fact]
    public async Task Should_end_when_preparing_fails_for_another_reason()
    {
        var module = new SlowModule { Failures = new([new InvalidOperationException("no such file")]) };
        await using var app = Build(module);
        (await Should.ThrowAsync<InvalidOperationException>(app.StartAsync().WaitAsync(Bound))).Message.ShouldBe("no such file");
        module.Prepared.ShouldBe(1);
    }

    static WebApplication Build(SlowModule module)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        module.AddServices(builder, AssayDatabase.Sqlite("unused"));
        builder.AddAssayInMemoryBus([module]);
        builder.AddAssayHealth();
        builder.ListenFirst([module]);
        var app = builder.Build();
        app.MapAssayHealth();
        app.MapGet("/work", () => Results.Ok());
        module.Urls = () => app.Urls;
        return app;
    }

    static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        return response.StatusCode;
    }

    static async Task<(HttpStatusCode Status, JsonElement Body)> ReadyAsync(HttpClient http)
    {
        using var response = await http.GetAsync(new Uri("health/ready", UriKind.Relative));
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    sealed class SlowModule : AssayModule, IHostedService
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Queue<Exception> Failures { get; init; } = [];
        public int Prepared { get; private set; }
        public bool WorkerStarted { get; private set; }
        public bool? ListenedWhenTheWorkerStopped { get; private set; }
        public Func<ICollection<string>> Urls { get; set; } = () => [];

        public override string Name => "Slow";

        public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database) => builder.Services.AddSingleton<IHostedService>(this);

        public override void AddConsumers(IBusRegistrationConfigurator bus)
        {
        }

        public override async Task PrepareAsync(IServiceProvider services, CancellationToken cancellationToken)
        {
            Prepared++;
            if (Failures.TryDequeue(out var failure))
                throw failure;
            Reached.SetResult();
            await Release.Task.WaitAsync(cancellationToken);
        }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            WorkerStarted = true;
            return Task.CompletedTask;
        }

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            using var http = new HttpClient { Timeout = Bound };
            try
            {
                using var response = await http.GetAsync(new Uri(new Uri(Urls().Single()), "health/live"), cancellationToken);
                ListenedWhenTheWorkerStopped = true;
            }
            catch (HttpRequestException)
            {
                ListenedWhenTheWorkerStopped = false;
            }
        }
    }
}
