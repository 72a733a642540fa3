using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Json;

namespace Assay.ServiceDefaults;

/// <summary>Logs: readable at a terminal, JSON lines in containers (<c>Logging__Format=json</c>).</summary>
public static class AssayLogging
{
    const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    /// <summary>Replaces the default providers by Serilog. Levels come from the section <c>Serilog</c>.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="consoleLevel">The least level written to standard error; null writes nothing there.</param>
    /// <param name="file">A file that gets everything, rolled daily and by size; null for none.</param>
    public static void AddAssayLogging(this IHostApplicationBuilder builder, LogEventLevel? consoleLevel = LogEventLevel.Information, string? file = null)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
            .ReadFrom.Configuration(builder.Configuration)
            .Enrich.FromLogContext();
        // Whoever runs the host says why it could not start, and one that is stopped while it starts did not fail.
        static bool IsToldByTheCaller(LogEvent line) => line.MessageTemplate.Text == "Hosting failed to start";
        if (consoleLevel is { } level)
        {
            // Standard output belongs to the program's answer; logs go beside it.
            configuration = configuration.WriteTo.Conditional(line => !IsToldByTheCaller(line), console => _ = string.Equals(builder.Configuration["Logging:Format"], "json", StringComparison.OrdinalIgnoreCase)
                ? console.Console(new JsonFormatter(renderMessage: true), level, standardErrorFromLevel: LogEventLevel.Verbose)
                : console.Console(level, Template, CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose));
        }

        if (file is not null)
            configuration = configuration.WriteTo.File(file, outputTemplate: "{Timestamp:O} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}",
                formatProvider: CultureInfo.InvariantCulture, rollingInterval: RollingInterval.Day, rollOnFileSizeLimit: true, fileSizeLimitBytes: 20_000_000, retainedFileCountLimit: 10);

        builder.Logging.ClearProviders();
        builder.Logging.AddSerilog(configuration.CreateLogger(), dispose: true);
    }
}
