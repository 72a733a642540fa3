// Bridges until EntityFrameworkIntegration offers these extension methods itself; whoever lands them deletes this file.
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.ServiceDefaults;

static class AwaitingIntegration
{
    public static void AddMessagingEntities(this ModelBuilder modelBuilder) => ArgumentNullException.ThrowIfNull(modelBuilder);

    public static DbContextOptionsBuilder UseAssayPostgres(this DbContextOptionsBuilder builder, string connectionString) => builder.UseNpgsql(connectionString);

    public static DbContextOptionsBuilder UseAssaySqlite(this DbContextOptionsBuilder builder, string connectionString) => builder.UseSqlite(connectionString);

    public static void UseEntityFrameworkMessageScheduler<TDbContext>(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context) => ArgumentNullException.ThrowIfNull(endpoint);

    public static void UseEntityFrameworkOutbox<TDbContext>(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context) => ArgumentNullException.ThrowIfNull(endpoint);
}
