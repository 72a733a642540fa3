using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace Assay.ServiceDefaults;

/// <summary>
/// Everything a host must call to run one service. A module knows neither transport nor database provider: the host chooses both.
/// </summary>
public abstract class AssayModule
{
    /// <summary>For example <c>AuditSaga</c>: names the connection string, the options section, logs and telemetry.</summary>
    public abstract string Name { get; }

    /// <summary>Registers options, the DbContext and hosted services.</summary>
    public abstract void AddServices(IHostApplicationBuilder builder, AssayDatabase database);

    /// <summary>Registers consumers, sagas, request clients and the outbox on the host's one bus.</summary>
    public abstract void AddConsumers(IBusRegistrationConfigurator bus);

    /// <summary>Maps HTTP endpoints of the module, if it has any.</summary>
    public virtual void MapEndpoints(WebApplication app)
    {
    }

    /// <summary>Runs after the database is migrated and before the bus or any hosted service starts; again from its beginning if the database was away.</summary>
    public virtual Task PrepareAsync(IServiceProvider services, CancellationToken cancellationToken) => Task.CompletedTask;
}
