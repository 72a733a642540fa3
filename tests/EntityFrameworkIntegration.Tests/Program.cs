using Assay.EntityFrameworkIntegration.Tests.Crashes;

// The test runner loads this assembly as a library; started as a process it is the order service that the crash tests kill.
return await CrashHost.RunAsync(args);
