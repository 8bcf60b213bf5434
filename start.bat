@echo off
rem Starts leadscore on a Windows PC without make: finds Python, makes .venv, installs the locked
rem requirements, serves and opens the browser. To update, unpack a new version over this folder.
rem This file is plain ASCII, so that any code page can read it; what it says stands in UTF-8 in
rem deploy\windows, in Chinese and English. Data is kept in the user's own folder, not here.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul 2>&1
set "PYTHONUTF8=1"
set "HERE=%~dp0"
set "VENV=%HERE%.venv"
set "PY=%VENV%\Scripts\python.exe"
set "LOCK=%HERE%requirements\runtime.txt"
set "MARK=%VENV%\installed.txt"
set "PIP=-m pip --quiet --disable-pip-version-check install"
if exist "%HERE%wheelhouse" set "PIP=%PIP% --no-index --find-links wheelhouse"

if not exist "%LOCK%" goto no_files
pushd "%HERE%"
if exist "%PY%" goto made

set "FOUND="
for %%V in (3.14 3.13 3.12 3.11) do call :try_launcher %%V
if not defined FOUND call :try_python
if not defined FOUND goto no_python
call :say making
%FOUND% -m venv "%VENV%"
if errorlevel 1 goto not_made

:made
"%PY%" -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1
if errorlevel 1 goto broken
set "NEW="
set "OLD="
"%PY%" "%HERE%deploy\fingerprint.py" >"%VENV%\now.txt"
set /p NEW=<"%VENV%\now.txt"
if exist "%MARK%" set /p OLD=<"%MARK%"
if "%OLD%"=="%NEW%" goto run

call :say installing
if exist "%MARK%" del "%MARK%"
"%PY%" %PIP% --require-hashes -r "%LOCK%"
if errorlevel 1 goto not_installed
"%PY%" %PIP% --no-deps --no-build-isolation "%HERE%."
if errorlevel 1 goto not_installed
copy /y "%VENV%\now.txt" "%MARK%" >nul

:run
call :say running
"%PY%" -c "from leadscore.cli import main; main()" serve --open %*
if errorlevel 1 goto stopped
exit /b 0

:try_launcher
if defined FOUND exit /b 0
py -%1 -c "import sys; sys.exit(sys.maxsize < 2**32)" >nul 2>&1
if not errorlevel 1 set "FOUND=py -%1"
exit /b 0

:try_python
rem The python.exe that only opens the Microsoft Store runs nothing, and so is not taken.
python -c "import sys; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32)" >nul 2>&1
if not errorlevel 1 set "FOUND=python"
exit /b 0

:say
type "%~dp0deploy\windows\%1.txt"
exit /b 0

:no_files
call :say no-files
goto wait

:no_python
call :say no-python
goto wait

:not_made
call :say not-made
goto wait

:broken
call :say broken
goto wait

:not_installed
call :say not-installed
goto wait

:stopped
call :say stopped

:wait
pause
exit /b 1
