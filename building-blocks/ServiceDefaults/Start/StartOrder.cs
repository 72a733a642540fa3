using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Assay.ServiceDefaults;

/// <summary>
/// The order in which a host starts: web server; databases and modules; workers and bus; then it takes work, which it stops taking first.
/// The framework starts the web server last: a service that waits for its broker would look dead to whoever asks whether it lives.
/// </summary>
static class StartOrder
{
    /// <summary>Registers the order. <paramref name="prepare"/> runs once the web server listens, and before any other hosted service.</summary>
    public static void AddStartOrder(this WebApplicationBuilder builder, Func<IServiceProvider, CancellationToken, Task> prepare)
    {
        builder.Services.AddSingleton<HostStart>();
        builder.Services.AddSingleton<IStartupFilter, Gate>();
        builder.Services.AddHealthChecks().AddCheck<HostStart>("start", HealthStatus.Unhealthy, ["ready"]);
        // The builder adds the web server while it builds, and calls these after that.
        builder.Host.ConfigureContainer<IServiceCollection>(services =>
        {
            var server = services.LastOrDefault(IsWebServer)
                ?? throw new InvalidOperationException("ASP.NET Core registers its web server in another way than this version of StartOrder knows; look for the hosted service that starts IServer.");
            services.Remove(server);
            var first = services.IndexOf(services.First(service => service.ServiceType == typeof(IHostedService)));
            services.Insert(first, server);
            services.Insert(first + 1, ServiceDescriptor.Singleton<IHostedService>(provider => new Preparation(provider, prepare)));
            services.AddSingleton<IHostedService, Doors>();
        });
    }

    static bool IsWebServer(ServiceDescriptor service) => service.ServiceType == typeof(IHostedService) && service is { IsKeyedService: false, ImplementationType.FullName: "Microsoft.AspNetCore.Hosting.GenericWebHostService" };

    sealed class Gate(HostStart start) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(pipeline => context => start.GuardAsync(context, pipeline));
            next(app);
        };
    }

    sealed class Preparation(IServiceProvider services, Func<IServiceProvider, CancellationToken, Task> prepare) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await prepare(services, cancellationToken);
            services.GetRequiredService<HostStart>().Prepared();
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>Started last, stopped first: requests on their way end before bus and workers do.</summary>
    sealed class Doors(HostStart start, IServer server) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            start.Open();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            start.Close();
            return server.StopAsync(cancellationToken);
        }
    }
}
